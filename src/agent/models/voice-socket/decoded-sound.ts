/**
 * The bytes of a `delta`, in memory of their own. Sound waits to be played, and a slice of Node's pool of
 * buffers would keep all 64 KiB of it from being freed for so long.
 */
export function decodedSound(base64: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(base64, 'base64'));
  return bytes.subarray(0, bytes.write(base64, 'base64'));
}
