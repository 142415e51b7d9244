// Small things that labs compute and say with. Nothing is drawn here.

const range = (n) => Array.from({ length: n }, (_, i) => i);
const add = (numbers) => numbers.reduce((a, b) => a + b, 0);
const list = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

// the weights of a row of scores; the largest is subtracted, so that nothing overflows. e to the power of -∞ is 0
function shares(scores) {
  const top = Math.max(...scores);
  const exps = scores.map((score) => Math.exp(score - top));
  const sum = add(exps);
  return exps.map((e) => e / sum);
}
