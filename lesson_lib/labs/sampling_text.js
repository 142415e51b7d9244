// What the sampling lab computes: the logits at each place of a text, and who is drawn from them. Nothing is drawn here.

// The logits after each beginning of a text. What was computed once is kept until the text begins differently.
function reading(program, numbers) {
  const { room, mask, divide } = program;
  const cache = { length: 0, layers: [] };
  let seen = []; // the tokens that all of this is about
  const rows = []; // the logits by the number of tokens before

  // keep what still holds for the text of these token numbers
  function turnTo(ids) {
    const n = Math.min(seen.length, ids.length);
    let same = 0;
    while (same < n && seen[same] === ids[same]) same++;
    if (same < n) {
      rows.length = Math.min(rows.length, same + 1);
      cache.length = Math.min(cache.length, same);
    }
    if (same < n || ids.length > seen.length) seen = ids;
  }

  // the logits for what follows the first n of the tokens
  function logits(n) {
    if (rows[n]) return rows[n];
    if (n <= room && mask) {
      const { length } = cache;
      const found = runModel(program, numbers, seen.slice(length, Math.min(room, seen.length)), { mask, divide }, { cache });
      found.logits.forEach((row, t) => { rows[length + 1 + t] = row; });
    } else { // every token has another position than before: nothing that was kept holds
      const window = seen.slice(Math.max(0, n - room), n);
      rows[n] = runModel(program, numbers, window, { mask, divide }, { last: true }).logits.at(-1);
    }
    return rows[n];
  }
  return { turnTo, logits, knows: (n) => Boolean(rows[n]) };
}

// who may come: the numbers of all, the most probable first; their chances with temperature and top-k, and without
function candidates(logits, temperature, topK) {
  const order = range(logits.length).sort((a, b) => logits[b] - logits[a] || a - b);
  const least = logits[order[Math.min(topK, order.length) - 1]];
  const chances = shares(logits.map((logit) => (logit >= least ? logit / temperature : -Infinity)));
  return { order, chances, own: shares(logits), cut: order.filter((id) => logits[id] < least).length };
}

// on whom the die falls: the chances stand in a row, the largest first
const drawn = ({ order, chances }, die) => order[pick(order.map((id) => chances[id]), die)];
