// Dice for labs that draw in the page: the same seed gives the same draws. They are not torch's. Nothing is drawn on the screen here.

// the n-th random number of a seed, from 0 to below 1: both are mixed by the last step of the hash MurmurHash3
function uniform(seed, n) {
  const mix = (number) => {
    let bits = number ^ (number >>> 16);
    bits = Math.imul(bits, 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return bits ^ (bits >>> 16);
  };
  return (mix((mix(seed) + n) | 0) >>> 0) / 2 ** 32;
}

// the index at which the probabilities, added up, first exceed u
function pick(row, u) {
  let sum = 0;
  const place = row.findIndex((p) => (sum += p) > u);
  return place < 0 ? row.findLastIndex((p) => p > 0) : place; // rounding can leave the sum just below 1
}
