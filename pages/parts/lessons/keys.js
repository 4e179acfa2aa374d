// Presenter mode's keys: arrows and Page keys move between stops (a clicker sends Page keys), Escape
// leaves.

const MOVES = {
  ArrowRight: "next", PageDown: "next", ArrowLeft: "back", PageUp: "back", Escape: "leave",
};

/** A key pressed while the page is still being made must not be lost: the last moves go along together,
numbered, and Python acts on those it has not heard yet. */
export default function keys({ data, parentElement, setStateValue }) {
  const moves = (parentElement.ascnetMoves ??= []);
  const onKey = (event) => {
    const move = MOVES[event.key];
    if (!data?.on || !move || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.composedPath()[0];
    // Escape leaves from anywhere; arrows belong to whoever types or moves a slider
    const busy = "input:not([type=checkbox], [type=radio]), textarea, select, [role=slider]";
    if (move !== "leave" && field.closest?.(busy)) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // before the viewer, whose arrows move the line
    moves.push({ number: (moves.at(-1)?.number ?? data.heard) + 1, move });
    setStateValue("moves", moves.slice(-20));
  };
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}
