// @ts-check
// The keys of the lessons when they are presented, and what the speaker's window must know.

import { onKeys } from "../shared/browser/panel.js";
import { openChannel } from "./channel.js";

/** @type {Record<string, string>} */
const MOVES = {
  PageDown: "next", PageUp: "back", ArrowRight: "next", ArrowLeft: "back", Escape: "leave",
};
/** Buttons of the page by their key. @type {Record<string, string>} */
const BUTTONS = {
  i: "lesson_more", q: "lesson_questions", e: "lesson_exercise", s: "lesson_notes",
};
const TYPING = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select";
const OPEN = "[data-testid=stPopoverBody], [role=dialog], [role=listbox]";
const OWN_ARROWS = `${TYPING}, [role=slider], [role=combobox], [role=radiogroup], ` +
  ".st-key-lesson_view, .st-key-lesson_task, [data-testid=stPopoverBody]";
const SPEAKERS = "popup,width=1000,height=760";

/** Whether a key was pressed inside of what a selector names; shadow roots hide nothing.
 * @param {Event} event @param {string} selector */
const inside = (event, selector) =>
  event.composedPath().some((node) => /** @type {Element} */ (node).matches?.(selector));

/** What a key asks for; nothing where it belongs to somebody else. Page keys, which a presenter's
 * remote sends, always turn the page.
 * @param {KeyboardEvent} event @param {() => boolean} isOpen whether a menu or panel is open */
export function wish(event, isOpen) {
  const move = MOVES[event.key], button = BUTTONS[event.key.toLowerCase()];
  if (event.key.startsWith("Page")) return move;
  if (event.key === "Escape") return isOpen() ? null : move; // it closes that first
  if (move) return inside(event, OWN_ARROWS) ? null : move;
  return button && !inside(event, TYPING) ? button : null;
}

/** The time since when this tab has presented, in ms; it outlasts a reload. @param {boolean} on */
function beganAt(on) {
  const known = Number(sessionStorage.getItem("ascnet-lesson-began"));
  if (known || !on) return known;
  return restart();
}

function restart() {
  const now = Date.now();
  sessionStorage.setItem("ascnet-lesson-began", `${now}`);
  return now;
}

/** A key pressed while the page is still being made must not be lost: the last moves go along
 * together, numbered, and Python acts on those it has not heard yet.
 * @param {{ data: { on: boolean, heard: number, stop: number } | null, parentElement: any,
 *   setStateValue: (name: string, value: unknown) => void }} component */
export default function keys({ data, parentElement, setStateValue }) {
  parentElement.ascnetLeave?.(); // a run may begin before the last one was ended
  /** @type {{ number: number, move: string }[]} */
  const moves = (parentElement.ascnetMoves ??= []);
  const id = (parentElement.ascnetId ??= `${Math.random()}`);
  const act = (/** @type {string} */ move) => {
    moves.push({ number: (moves.at(-1)?.number ?? data?.heard ?? 0) + 1, move });
    setStateValue("moves", moves.slice(-20));
  };
  const tell = () => data && channel.say(
    { kind: "shows", from: id, on: data.on, stop: data.stop, began: beganAt(data.on) });
  const channel = openChannel((said) => {
    if (said.kind === "ask") tell();
    if (said.kind === "move" && said.to === id) act(said.move);
    if (said.kind === "restart" && said.to === id) { restart(); tell(); }
  });
  tell();
  const gone = () => channel.say({ kind: "gone", from: id });
  // a window of its own can stand on the other screen; a link alone would open a tab
  const openNotes = (/** @type {MouseEvent} */ event) => {
    /** @type {HTMLAnchorElement | null} */
    const link = /** @type {Element} */ (event.target).closest?.(".st-key-lesson_notes a");
    if (link && window.open(link.href, "ascnet-notes", SPEAKERS)) event.preventDefault();
  };
  const isOpen = () => Boolean(document.querySelector(OPEN));
  // before the viewer, whose arrows move the line
  const forget = onKeys(window, (event) => {
    const wanted = data?.on ? wish(event, isOpen) : null;
    if (!wanted) return null;
    return Object.values(MOVES).includes(wanted) ? () => act(wanted) : () => press(wanted);
  }, true);
  window.addEventListener("pagehide", gone);
  document.addEventListener("click", openNotes, { capture: true });
  return parentElement.ascnetLeave = () => {
    forget();
    window.removeEventListener("pagehide", gone);
    document.removeEventListener("click", openNotes, { capture: true });
    channel.close();
  };
}

/** @param {string} name of the container that holds a button, a switch or a link */
function press(name) {
  /** @type {HTMLElement | null} */
  const found = document.querySelector(`.st-key-${name} :is(button, a, input)`);
  found?.click();
}
