/** `items[index]`, where the code knows that it is there. Throws RangeError when it is not: a bug of ours. */
export function at<T>(items: { readonly [index: number]: T; readonly length: number }, index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index} of ${items.length}`);
  return item;
}
