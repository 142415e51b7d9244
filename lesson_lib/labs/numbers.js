// Small things that labs compute and say with. Nothing is drawn here.

const range = (n) => Array.from({ length: n }, (_, i) => i);
const add = (numbers) => numbers.reduce((a, b) => a + b, 0);
const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

const two = (value) => value.toFixed(2);
const commas = (n) => n.toLocaleString("en-US");
const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const minus = (text) => text.replaceAll("-", "−");
// whether two decimals are all of the number
const exact = (value) => Math.abs(value) < 10000 && Math.abs(value - Number(value.toFixed(2))) < 1e-9;

// for a cell: no zeros at the end where that is all of the number, and else two decimals: 4, −2.5, 1.77
function short(value) {
  if (Math.abs(value) >= 10000) return minus(value.toExponential(1).replace("+", ""));
  const text = value.toFixed(2).replace(/^-0\.00$/, "0.00");
  return minus(exact(value) ? String(Number(text)) : text);
}

// the weights of a row of scores; the largest is subtracted, so that nothing overflows. e to the power of -∞ is 0
function shares(scores) {
  const top = Math.max(...scores);
  const exps = scores.map((score) => Math.exp(score - top));
  const sum = add(exps);
  return exps.map((e) => e / sum);
}
