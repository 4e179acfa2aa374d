// The numbers at the right of the viewer: they follow the line in the histogram at every frame.

const ROWS = [
  ["volume", "Volume"], ["truth", "True volume"], ["dice", "Dice"],
  ["sensitivity", "Sensitivity"], ["precision", "Precision"],
];

function digits(value, places) {
  return Number.isFinite(value) ? value.toFixed(places) : "–";
}

function put(root, name, text) {
  const node = root.querySelector(`[data-is="${name}"]`);
  if (node.textContent !== text) node.textContent = text;
}

/** What made the number on the line, in a sentence, and of which kind it is. */
function origin(data, live) {
  if (live.rule && live.t === data.proposal.t && live.side === data.proposal.side &&
      live.rule === data.proposal.rule) {
    return [data.proposal.kind, data.proposal.sentence];
  }
  const peak = live.rule.startsWith("peak:") ? Number(live.rule.slice(5)) : 0;
  if (peak) return ["mask-free", `The level of peak ${peak} of ${data.peaks.length}.`];
  if (live.t === data.live.t && live.upper === data.live.upper && data.hint) {
    return ["by hand", data.hint];
  }
  return ["by hand", `The rule “${data.proposal.rule}” proposes ${data.proposal.text}.`];
}

function render(root, store) {
  const { data, live, table } = store;
  if (!data || !live || !table) return;
  const now = numbersAt(table, { ...live, none: store.none });
  const [kind, sentence] = origin(data, live);
  const sign = live.side === "dark" ? "≤" : "≥";
  const level = live.upper === null ? `${sign} ${live.t}` : `${live.t} – ${live.upper}`;
  put(root, "level", store.none ? "none" : level);
  root.querySelector("[name=accept]").disabled = store.none;
  put(root, "kind", kind);
  put(root, "sentence", sentence);
  put(root, "verdict", data.verdict);
  root.querySelector(".verdict").classList.toggle("weak", !data.separated);
  const clean = data.cleaned;
  const fresh = clean && clean.for === `${live.t} ${live.upper} ${live.side}`;
  root.classList.toggle("steps", Boolean(data.steps));
  root.querySelector('[data-is="steps"]').title = data.steps;
  for (const [name] of ROWS) {
    const unit = name === "volume" || name === "truth" ? " ml" : "";
    const places = unit ? 1 : 3;
    const value = name === "truth" ? (data.hasTruth ? data.true * data.voxelMl : null) : now[name];
    put(root, name, digits(value, places) + (value === null ? "" : unit));
    if (name === "truth") continue;
    const after = fresh ? clean.numbers[name] : null;
    put(root, `${name} after`, fresh ? digits(after, places) + (after === null ? "" : unit) : "…");
  }
  put(root, "oracle", data.oracle ? `${digits(data.oracle.dice, 3)} at ${data.oracle.t}` : "–");
  put(root, "input", data.inputOracle
    ? `${digits(data.inputOracle.dice, 3)} at ${data.inputOracle.t}` : "–");
  const mean = data.meanDice && live.upper === null ? data.meanDice[live.side][live.t] : null;
  root.classList.toggle("cohort", Boolean(data.meanDice));
  put(root, "mean of", `Mean Dice, ${data.meanOf} with lesion`);
  put(root, "mean", digits(mean, 3));
  put(root, "rank", digits(data.rank, 2));
  put(root, "warning", data.warning);
  root.querySelector(".warning").hidden = !data.warning;
  put(root, "accepted", data.accepted);
}

async function copyLink(store, button) {
  const query = store.data.query ? `?${store.data.query}` : "";
  const link = location.origin + location.pathname + query;
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(link);
  } catch { // no clipboard over plain http from afar: the address bar holds the same link
    said = "Copy it from the address bar";
  }
  button.textContent = said;
  setTimeout(() => { button.textContent = "Copy link"; }, 1600);
}

export default function numbers({ parentElement }) {
  const root = parentElement.querySelector(".numbers");
  const store = sharedStore();
  if (root.ascnetLeave) return root.ascnetLeave;
  const listener = () => render(root, store);
  store.listeners.add(listener);
  root.querySelector("[name=accept]").addEventListener("click", () => tell(store, "accept"));
  const link = root.querySelector("[name=link]");
  link.addEventListener("click", () => store.data && copyLink(store, link));
  listener();
  root.ascnetLeave = () => store.listeners.delete(listener);
  return root.ascnetLeave;
}
