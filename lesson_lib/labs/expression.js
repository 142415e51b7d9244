// Run a formula that expression.py has parsed: a postfix program, computed with dual numbers. Each entry of the
// stack is a value u and its slope du. The rules are those of expression.py, one for one.

const divide = (a, b) => (b === 0 ? NaN : a / b);
const power = (a, b) => ((a === 0 && b < 0) || Number.isNaN(a) || !Number.isFinite(b) ? NaN : a ** b);
const log = (u) => (u > 0 ? Math.log(u) : NaN);
const sigmoid = (u) => 1 / (1 + Math.exp(-u));

const TWO = {
  "+": (u, du, v, dv) => [u + v, du + dv],
  "-": (u, du, v, dv) => [u - v, du - dv],
  "*": (u, du, v, dv) => [u * v, du * v + u * dv],
  "/": (u, du, v, dv) => [divide(u, v), divide(du - divide(u, v) * dv, v)],
  "**": (u, du, v, dv) => [power(u, v), dv !== 0
    ? power(u, v) * (dv * log(u) + v * divide(du, u))
    : v === 0 ? 0 : v * power(u, v - 1) * du],
};
const ONE = {
  neg: (u, du) => [-u, -du],
  // at the kink the slope depends on the direction: both go up
  abs: (u, du) => [Math.abs(u), u === 0 ? Math.abs(du) : Math.sign(u) * du],
  relu: (u, du) => (u > 0 ? [u, du] : [0 * u, u === 0 ? Math.max(du, 0) : 0]),
  exp: (u, du) => [Math.exp(u), Math.exp(u) * du],
  log: (u, du) => [log(u), divide(du, u)],
  sin: (u, du) => [Math.sin(u), Math.cos(u) * du],
  cos: (u, du) => [Math.cos(u), -Math.sin(u) * du],
  tan: (u, du) => [Math.tan(u), (1 + Math.tan(u) ** 2) * du],
  tanh: (u, du) => [Math.tanh(u), (1 - Math.tanh(u) ** 2) * du],
  sigmoid: (u, du) => [sigmoid(u), sigmoid(u) * (1 - sigmoid(u)) * du],
  sqrt: (u, du) => [Math.sqrt(u), u === 0 ? Infinity * du : du / (2 * Math.sqrt(u))],
};

// f(x), and how fast f grows from there when x moves in the direction (1 or -1)
function run(program, x, direction) {
  const stack = [];
  for (const step of program) {
    if (step === "x") stack.push([x, direction]);
    else if (typeof step === "number") stack.push([step, 0]);
    else if (step in TWO) {
      const [v, dv] = stack.pop();
      stack.push(TWO[step](...stack.pop(), v, dv));
    } else stack.push(ONE[step](...stack.pop()));
  }
  const [value, slope] = stack.pop();
  return Number.isFinite(value) ? [value, slope] : [value, NaN];
}
