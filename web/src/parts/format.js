// Numbers of a result as text. JSON has no infinities: they come as "inf" and "-inf"; what is
// not known comes as null. `number`, `percent` and `count` restate plogq.reports.numbers.
import { format } from "d3-format";

const short = format(".3~g");
const grouped = format(",");
const setting = format(".3~f");
const SPACE = "\u00a0"; // between a number and its sign

/** The number itself: "inf" as Infinity, null and what is absent as NaN. */
export function toNumber(value) {
  if (typeof value === "number") return value;
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return NaN;
}

const DECIMALS = 4;
const WHOLE = 1000; // from here on without decimals
const LARGEST = 1e9; // from here on by a power of ten

/** A number with so many decimals, as a whole number, or by a power of ten. */
export function number(value, decimals = DECIMALS) {
  const x = toNumber(value);
  if (Number.isNaN(x)) return "–";
  if (x < 0) return `−${number(-x, decimals)}`;
  if (x === Infinity) return "∞";
  if (x === 0 || (x >= Math.min(1, 10 ** (1 - decimals)) && x < WHOLE)) {
    const text = Math.abs(x).toFixed(decimals);
    return Number(text) < WHOLE ? text : grouped(WHOLE);
  }
  return x >= WHOLE && x < LARGEST ? grouped(x.toFixed(0)) : scientific(x.toExponential(2));
}

/** A tick or a label: no more digits than it needs. */
export function brief(value) {
  const x = toNumber(value);
  return Number.isFinite(x) ? scientific(short(x)) : number(value);
}

/** A setting: up to three decimals, without zeros at the end. */
export function shorten(value) {
  const x = toNumber(value);
  return Number.isFinite(x) ? setting(x) : number(value);
}

/** A share of 1 in percent, with one decimal. */
export function percent(value) {
  const share = toNumber(value);
  if (!Number.isFinite(share)) return number(share);
  const hundred = 100 * share;
  const size = Math.abs(hundred);
  if (size > 0 && size < 0.05) return share > 0 ? `<${SPACE}0.1${SPACE}%` : `>${SPACE}−0.1${SPACE}%`;
  if (hundred >= 99.95 && hundred < 100) return `>${SPACE}99.9${SPACE}%`;
  const text = size < WHOLE ? size.toFixed(1) : number(size);
  return `${hundred < 0 ? "−" : ""}${text}${SPACE}%`;
}

/** A whole number, in groups of three. */
export function count(value) {
  const x = toNumber(value);
  return Number.isFinite(x) ? grouped(x) : number(value);
}

/** Ten to a whole power. */
export function power(k) {
  return k === 0 ? "1" : `10${raised(k)}`;
}

function scientific(text) {
  const [digits, exponent] = text.split("e");
  if (exponent === undefined) return text;
  return `${digits}×10${raised(exponent.replace("+", ""))}`;
}

function raised(whole) {
  return [...String(whole)].map((c) => SUPERSCRIPT[c]).join("");
}

const SUPERSCRIPT = {
  "-": "⁻", "−": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹",
};
