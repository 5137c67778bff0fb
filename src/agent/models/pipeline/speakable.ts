/** Written text to text that a synthesiser can say: no markdown, no emoji, addresses as people say them. */

const CODE_FENCE = /```[a-z]*|~~~/gi;
const MARKDOWN_IMAGE = /!\[([^\]]*)\]\([^)\s]*\)/g;
const MARKDOWN_LINK = /\[([^\]]+)\]\([^)\s]*\)/g;
const URL_TEXT = /\b(?:https?:\/\/|www\.)[^\s<>()"']+/gi;
const EMAIL = /\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/g;
const HTML_TAG = /<\/?[a-z][^<>]{0,100}>/gi;
const LINE_MARK = /^[ \t]*(?:#{1,6}|[-*+•]|>+|\d{1,3}[.)])[ \t]+/gm;
const RULE = /^[ \t]*(?:[-*_=][ \t]*){3,}$/gm;
/** Pictures, flags, skin tones, keycaps, and the marks that join them. */
const EMOJI = new RegExp(
  [
    '[0-9#*]\\u{FE0F}?\\u{20E3}',
    '[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\p{Regional_Indicator}]',
    '[\\u{FE0F}\\u{200D}\\u{E0020}-\\u{E007F}]',
  ].join('|'),
  'gu',
);
/** Marks that stand for emphasis; a star between numbers is a product, an underscore in a word its own. */
const EMPHASIS = /(?<!\d ?)\*+|\*+(?! ?\d)|~~|`+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu;

/** Empty when there is nothing to say in it. */
export function speakable(written: string): string {
  const spoken = written
    .replace(CODE_FENCE, ' ')
    .replace(MARKDOWN_IMAGE, '$1')
    .replace(MARKDOWN_LINK, '$1')
    .replace(URL_TEXT, sayUrl)
    .replace(EMAIL, sayAddress)
    .replace(HTML_TAG, ' ')
    .replace(RULE, ' ')
    .replace(LINE_MARK, '')
    .replace(EMOJI, '')
    .replace(EMPHASIS, '')
    .replace(/[ \t]*\|[ \t]*/g, ', ')
    .replace(/\s*&\s*/g, ' and ')
    .replace(/[\u2026]/g, '...')
    .replace(/\s+/g, ' ')
    .replace(/(?:, )+(?=, |[.!?]|$)/g, '')
    .replace(/ +([,.!?;:])/g, '$1')
    .replace(/^[\s,;:]+|[\s,]+$/g, '');
  return /[\p{L}\p{N}]/u.test(spoken) ? spoken : '';
}

/** "https://www.example.org/book?x=1." -> "example dot org slash book." */
function sayUrl(url: string): string {
  const [, address = '', end = ''] = /^(.*?)([.,!?;:]*)$/.exec(url) ?? [];
  const plain = address.replace(/^https?:\/\//i, '').replace(/^www\./i, '');
  const [path = ''] = plain.split(/[?#]/);
  return path.replace(/\/+$/, '').replaceAll('/', ' slash ').replaceAll('.', ' dot ') + end;
}

function sayAddress(address: string): string {
  return address.replace('@', ' at ').replaceAll('.', ' dot ');
}
