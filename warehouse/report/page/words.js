// How numbers and days are written.
const UNKNOWN = "–";
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const WEEKDAYS = "Mon Tue Wed Thu Fri Sat Sun".split(" ");
const weekdayOf = (place) => (dateOf(place).getUTCDay() + 6) % 7;
const shortDay = (place) => `${dateOf(place).getUTCDate()} ${MONTHS[dateOf(place).getUTCMonth()]}`;
const fullDay = (place) => `${shortDay(place)} ${dateOf(place).getUTCFullYear()}`;
const longDay = (place) => `${WEEKDAYS[weekdayOf(place)]}, ${fullDay(place)}`;
const fullTime = (time) => `${fullDay(placeOf(time))}, ${time.slice(11, 16)} UTC`;

const formats = new Map();
function number(value, digits = 1) {
  if (value === null || value === undefined) return UNKNOWN;
  if (!formats.has(digits)) {
    formats.set(
      digits,
      new Intl.NumberFormat("en-GB", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        signDisplay: "negative",
      }),
    );
  }
  return formats.get(digits).format(value);
}
const count = (value) => number(value, 0);
const percent = (value, digits = 1) => (value === null ? UNKNOWN : `${number(100 * value, digits)}%`);
const usd = (value) => (value === null ? UNKNOWN : `$${number(value, Math.abs(value) < 10 ? 2 : 0)}`);
const cents = (value) =>
  value === null ? UNKNOWN : Math.abs(value) >= 1 ? `$${number(value, 2)}` : `${number(100 * value, 2)} ¢`;
const seconds = (ms) => (ms === null ? UNKNOWN : `${number(ms / 1000, 1)} s`);
const perHour = (rate) => number(rate, rate >= 100 ? 0 : rate >= 1 ? 1 : 2);
const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
const words = (name) => name.replaceAll("_", " ");
function lengthOf(minutes) {
  const days = Math.floor(minutes / 1440),
    hours = Math.floor((minutes % 1440) / 60),
    rest = minutes % 60;
  const parts = [
    [days, "d"],
    [hours, "h"],
    [rest, "min"],
  ]
    .filter(([n]) => n)
    .map(([n, unit]) => `${n} ${unit}`);
  return parts.slice(0, 2).join(" ") || "0 min";
}

const signed = (difference) => {
  const size = number(Math.abs(difference), 1);
  return Number(size.replaceAll(",", "")) === 0 ? size : (difference > 0 ? "+" : "−") + size;
};
const NOTHING_BEFORE = { text: "nothing to compare with", sign: 0 };
function changeInPercent(now, before, shown) {
  if (now === null || before === null) return NOTHING_BEFORE;
  if (!before) return { text: `before: ${shown(before)}`, sign: 0 };
  const difference = 100 * (now / before - 1);
  return {
    text: `${signed(difference)}%, before: ${shown(before)}`,
    sign: Math.abs(difference) < 0.05 ? 0 : difference,
  };
}
// a share is [part, whole]
function changeInPoints(now, before) {
  if (!now[1] || before === null || !before[1]) return NOTHING_BEFORE;
  const difference = 100 * (now[0] / now[1] - before[0] / before[1]);
  const [a, b] = [interval(...now), interval(...before)];
  const mayBeChance = a[0] <= b[1] && b[0] <= a[1];
  const text = `${signed(difference)} points, before: ${percent(before[0] / before[1])}`;
  return { text: text + (mayBeChance ? ", may be chance" : ""), sign: mayBeChance ? 0 : difference };
}
