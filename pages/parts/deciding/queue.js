// @ts-check
// The queue at the left: every subject, how it stands, which ones to see. It also carries messages
// between the desk and Python.

import { onPageKeys } from "../shared/browser/focus.js";
import { element, nodesOf, press, put } from "../shared/browser/panel.js";
import { sharedStore } from "../viewer/viewer_store.js";
import { ask, askAgain, countTime, deskFor, openSubject, rowsOf, takeSent } from "./decide_desk.js";
import { freeKeys, pageKeys } from "./decide_keys.js";
import { FILTERS, shortened } from "./queue_rows.js";

/** @import { Desk, Sent } from "./decide_desk.js" */
/** @import { Row } from "./queue_rows.js" */
/** @typedef {ReturnType<typeof makeQueue>} Queue */

/** @param {ParentNode} parent */
function makeQueue(parent) {
  return {
    nodes: nodesOf(parent), current: "", list: "",
    rows: /** @type {Map<string, { node: any, text: string }>} */ (new Map()),
  };
}

/** How a row stands, in a word for its title. @param {Row} row */
export function standing({ number, flag, saving, failed, others }) {
  const own = failed ? `not kept: ${failed}` : saving ? "saving" : number === null ? "open" : flag;
  return others ? `${own}; ${others}` : own;
}

/** @type {(queue: Queue, desk: Desk) => void} */
function draw(queue, desk) {
  const { nodes } = queue, rows = rowsOf(desk), seen = rows.filter(FILTERS[desk.filter].keeps);
  const done = rows.filter((row) => row.number !== null && !row.saving).length;
  const saving = rows.filter((row) => row.saving).length;
  put(nodes.done, `${done}`);
  put(nodes.total, `of ${rows.length} decided`);
  nodes.bar.style.width = `${rows.length ? (100 * done) / rows.length : 0}%`;
  for (const button of nodes.filters.children) press(button, button.name === desk.filter);
  const subjects = seen.map((row) => row.subject), list = subjects.join("\n");
  for (const row of seen) drawRow(queue, desk, row);
  if (list !== queue.list) {
    nodes.list.replaceChildren(...subjects.map((subject) => queue.rows.get(subject)?.node));
    if (!list) nodes.list.append(element("div", { className: "none",
      textContent: `No subject is ${FILTERS[desk.filter].label}.` }));
  }
  if (queue.current !== desk.current || list !== queue.list) {
    for (const { node } of queue.rows.values()) node.ariaSelected = "false";
    const now = queue.rows.get(desk.current)?.node;
    if (now) now.ariaSelected = "true";
    if (now?.isConnected) keepInView(nodes.list, now);
  }
  Object.assign(queue, { current: desk.current, list });
  const failed = Object.keys(desk.failures).length;
  put(nodes.state, failed ? `${failed} not kept` : saving ? `saving ${saving}…`
    : desk.rater ? "all on the disk" : "");
}

/** Scroll a list so far that a row, and one beside it, is in view.
 * @type {(list: HTMLElement, row: HTMLElement) => void} */
function keepInView(list, row) {
  const top = row.offsetTop - list.offsetTop, high = row.offsetHeight;
  if (top < list.scrollTop + high) list.scrollTop = top - high;
  else if (top + 2 * high > list.scrollTop + list.clientHeight) {
    list.scrollTop = top + 2 * high - list.clientHeight;
  }
}

/** Make a row, or change it where it is another.
 * @type {(queue: Queue, desk: Desk, row: Row) => void} */
function drawRow({ rows }, desk, row) {
  const { subject, level, number, flag, saving, failed } = row, text = JSON.stringify(row);
  let known = rows.get(subject);
  if (!known) {
    const textContent = shortened(desk.rows.map((one) => one.subject))(subject);
    const name = element("span", { className: "name" }, element("bdi", { textContent }));
    const node = element("div", { role: "option", onclick: () => openSubject(desk, subject) },
      element("span", { className: "mark" }), name, element("span", { className: "level" }));
    node.setAttribute("data-subject", subject);
    known = { node, text: "" };
    rows.set(subject, known);
  }
  if (known.text === text) return;
  known.text = text;
  known.node.className = ["row", number === null ? "open" : "decided", flag, saving && "saving",
    failed && "failed"].filter(Boolean).join(" ");
  known.node.title = `${subject}: ${standing(row)}`;
  put(known.node.lastChild, saving ? "saving…" : level);
}

/** @param {{ data: Sent | null, parentElement: any, setTriggerValue: Function }} component */
export default function queueOfSubjects({ data, parentElement, setTriggerValue }) {
  if (!data) return parentElement.ascnetLeave;
  const store = sharedStore();
  const desk = deskFor(data, (told) => setTriggerValue("told", told));
  /** @type {Queue} */
  let queue = parentElement.ascnetQueue;
  const first = !queue || parentElement.ascnetDesk !== desk;
  if (first) {
    parentElement.ascnetLeave?.();
    queue = parentElement.ascnetQueue = makeQueue(parentElement);
    parentElement.ascnetDesk = desk;
    parentElement.ascnetLeave = listen(queue, desk);
  }
  takeSent(desk, data);
  if (first) openSubject(desk, data.subject);
  store.pageKeys = pageKeys;
  return parentElement.ascnetLeave;
}

/** @type {(queue: Queue, desk: Desk) => () => void} */
function listen(queue, desk) {
  const { nodes } = queue, store = sharedStore();
  nodes.filters.replaceChildren(...Object.entries(FILTERS).map(([name, { label }]) => element(
    "button", { name, textContent: label, onclick: () => {
      desk.filter = name;
      draw(queue, desk);
      ask(desk);
    } })));
  freeKeys(nodes.list.parentElement);
  const onStore = (/** @type {string} */ what) => what === "desk" && draw(queue, desk);
  store.listeners.add(onStore);
  const forgetKeys = onPageKeys((event) => store.pageKeys?.(event));
  const clock = setInterval(() => askAgain(desk), 1000);
  const looking = () => {
    if (document.hidden) countTime(desk);
    else desk.since = performance.now();
  };
  document.addEventListener("visibilitychange", looking);
  return () => {
    store.listeners.delete(onStore);
    forgetKeys();
    clearInterval(clock);
    document.removeEventListener("visibilitychange", looking);
    store.pageKeys = store.takePackage = null;
  };
}
