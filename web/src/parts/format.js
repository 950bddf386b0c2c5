// Numbers of a result as text. JSON has no infinities: they come as "inf" and "-inf"; what is
// not known comes as null.
import { format } from "d3-format";

const plain = format(".4f");
const short = format(".3~g");
const grouped = format(",");
const thousands = format(",.4~r");
const setting = format(".3~f");

/** The number itself: "inf" as Infinity, null and what is absent as NaN. */
export function toNumber(value) {
  if (typeof value === "number") return value;
  if (value === "inf") return Infinity;
  if (value === "-inf") return -Infinity;
  return NaN;
}

/** Four decimals; three significant digits where four decimals would show few or too many. */
export function number(value) {
  const x = toNumber(value);
  if (Number.isNaN(x)) return "–";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  return size === 0 || (size >= 1e-3 && size < 1e5) ? plain(x) : scientific(short(x));
}

/** A tick or a label: no more digits than it takes, thousands in groups. */
export function brief(value) {
  const x = toNumber(value);
  if (!Number.isFinite(x)) return number(value);
  const size = Math.abs(x);
  return size >= 999.5 && size < 999_950 ? thousands(x) : scientific(short(x));
}

/** A setting: up to three decimals, none that say nothing. */
export function shorten(value) {
  const x = toNumber(value);
  return Number.isFinite(x) ? setting(x) : number(value);
}

/** A share of 1. */
export function percent(value) {
  const x = toNumber(value);
  if (!Number.isFinite(x)) return number(value);
  const size = Math.abs(x) * 100;
  return `${format(size === 0 || size >= 0.1 ? ".1f" : ".1~g")(x * 100)}\u00a0%`;
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
