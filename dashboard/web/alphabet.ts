/**
 * Sorting by the Azerbaijani alphabet. Chromium has no collation for it (Qax would stand after
 * Pirallahı), so the order is our own table; a test holds it against ICU. One order serves all
 * three languages: names of places and devices are data, and rows keep their place when the
 * language changes.
 */

const alphabet = 'abcçdeəfgğhxıijkqlmnoöprsştuüvwyz';

/** Classes of characters, in the order of the Unicode root collation. */
const rankOfSpace = 0;
const rankOfSign = 1;
const rankOfDigit = 2;
const rankOfLetter = 3;
const rankOfOther = 100;

/** Lower case with the dotted and the dotless i kept apart, which `toLowerCase` does not do. */
function lower(character: string): string {
  if (character === 'İ') return 'i';
  if (character === 'I') return 'ı';
  return character.toLowerCase();
}

function rankOf(character: string): number {
  const place = alphabet.indexOf(character);
  if (place >= 0) return rankOfLetter + place;
  if (/\s/u.test(character)) return rankOfSpace;
  if (/\p{Letter}/u.test(character)) return rankOfOther + (character.codePointAt(0) ?? 0);
  return rankOfSign;
}

/**
 * Cuts a name into whole numbers and single characters, so that "Sensor 2" precedes "Sensor 10".
 */
function pieces(name: string): string[] {
  return name.normalize('NFC').match(/\d+|[^\d]/gu) ?? [];
}

function comparePieces(left: string, right: string): number {
  const leftIsNumber = /^\d/u.test(left);
  const rightIsNumber = /^\d/u.test(right);
  if (leftIsNumber && rightIsNumber) return Number(left) - Number(right);
  const leftRank = leftIsNumber ? rankOfDigit : rankOf(lower(left));
  const rightRank = rightIsNumber ? rankOfDigit : rankOf(lower(right));
  if (leftRank !== rightRank) return leftRank - rightRank;
  return leftRank === rankOfSign ? (left < right ? -1 : left > right ? 1 : 0) : 0;
}

/** Orders two names; capitals and small letters count as equal until nothing else differs. */
export function compareNames(left: string, right: string): number {
  const leftPieces = pieces(left);
  const rightPieces = pieces(right);
  const length = Math.min(leftPieces.length, rightPieces.length);
  for (let at = 0; at < length; at += 1) {
    const order = comparePieces(leftPieces[at] ?? '', rightPieces[at] ?? '');
    if (order !== 0) return order;
  }
  if (leftPieces.length !== rightPieces.length) return leftPieces.length - rightPieces.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
