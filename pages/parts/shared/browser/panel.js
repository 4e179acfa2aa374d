// @ts-check
// A component's panel: its elements, its drawing once a frame, and keys, drags and wheel.

/** Elements below a root by attributes of theirs.
 * @param {ParentNode} root @param {string[]} attributes */
export function nodesOf(root, ...attributes) {
  /** @type {Record<string, any>} */
  const nodes = {};
  for (const attribute of attributes.length ? attributes : ["data-node"]) {
    for (const node of root.querySelectorAll(`[${attribute}]`)) {
      nodes[node.getAttribute(attribute) ?? ""] = node;
    }
  }
  return nodes;
}

/** Asks for a drawing before the next frame, once, however often it is called.
 * @param {() => void} draw */
export function onceAFrame(draw) {
  let asked = 0;
  return () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      draw();
    });
  };
}

/** Change what a panel shows.
 * @template {{ redraw: () => void }} State @param {State} state @param {Partial<State>} changes */
export function change(state, changes) {
  Object.assign(state, changes);
  state.redraw();
}

/** @type {(tag: string, properties?: object, ...children: (Node | string)[]) => any} */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Change a text only where it is another. @type {(node: Node, text: string) => void} */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Show a button as pressed or not. @type {(button: Element, on: unknown) => void} */
export const press = (button, on) => button.setAttribute("aria-pressed", `${Boolean(on)}`);

/** How much an element is enlarged by CSS, which the lessons do when they are presented.
 * @param {any} on */
export const zoomOf = (on) => /** @type {number} */ (on.currentCSSZoom ?? 1);

/** Where a pointer is on an element, in its own CSS pixels.
 * @type {(event: MouseEvent, on: Element) => [number, number]} */
export function pointOn(event, on) {
  const box = on.getBoundingClientRect(), zoom = zoomOf(on);
  return [(event.clientX - box.left) / zoom, (event.clientY - box.top) / zoom];
}

/** Answer keys; those pressed with Ctrl, Alt or the Windows key stay the browser's.
 * @param {EventTarget} target
 * @param {(event: KeyboardEvent) => (() => void) | null | undefined} actOf what a key does
 * @param {boolean} [first] before all other listeners of the page */
export function onKeys(target, actOf, first = false) {
  const listen = (/** @type {any} */ event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? null : actOf(event);
    if (!act) return;
    event.preventDefault();
    if (first) event.stopImmediatePropagation();
    act();
  };
  target.addEventListener("keydown", listen, { capture: first });
  return () => target.removeEventListener("keydown", listen, { capture: first });
}

/** Follow a pressed pointer: `start` gives what it holds (nothing: no drag), `move` and `end` get
 * it; `hover` follows a pointer that holds nothing, `leave` hears that it has gone.
 * @template Held
 * @param {HTMLElement} target
 * @param {{ start: (event: PointerEvent) => Held | null | undefined,
 *   move: (event: PointerEvent, held: Held) => void,
 *   end?: (event: PointerEvent, held: Held) => void, hover?: (event: PointerEvent) => void,
 *   leave?: () => void }} on */
export function onDrag(target, { start, move, end, hover, leave }) {
  /** @type {Held | null | undefined} */
  let held = null;
  target.addEventListener("pointerdown", (event) => {
    held = start(event);
    if (held) target.setPointerCapture(event.pointerId);
  });
  target.addEventListener("pointermove", (event) => {
    if (held) move(event, held);
    else hover?.(event);
  });
  for (const kind of /** @type {const} */ (["pointerup", "pointercancel"])) {
    target.addEventListener(kind, (event) => {
      const was = held;
      held = null;
      if (was) end?.(event, was);
    });
  }
  if (leave) target.addEventListener("pointerleave", leave);
}

/** Act before anything outside is pressed. What the browser tells Python after a pause it has to
 * tell then: a button beside works on what is on the screen, and where Streamlit is told something
 * while it opens another page, that page stays empty.
 * @param {HTMLElement} root @param {() => void} act */
export function beforePressOutside(root, act) {
  const page = root.ownerDocument, pressed = (/** @type {Event} */ event) => {
    if (!root.isConnected) page.removeEventListener("pointerdown", pressed, { capture: true });
    else if (!event.composedPath().includes(root)) act();
  };
  page.addEventListener("pointerdown", pressed, { capture: true });
}

/** How many slices a wheel has turned: a notch is one, many small turns of a touch pad add up.
 * @returns {(turn: number) => number} */
export function wheelSteps() {
  let turned = 0;
  return (turn) => {
    turned += turn;
    const steps = Math.trunc(turned / 34), notch = Math.abs(turn) >= 60;
    if (steps) turned = notch ? 0 : turned - 34 * steps;
    return notch ? Math.sign(steps) : steps;
  };
}

/** Answer the wheel: `step` gets slices, `zoom` what is turned with Ctrl, in pixels.
 * @param {HTMLElement} target @param {(slices: number) => void} step
 * @param {(turn: number, event: WheelEvent) => void} zoom */
export function onWheel(target, step, zoom) {
  const stepsOf = wheelSteps();
  target.addEventListener("wheel", (event) => {
    const turn = event.deltaMode ? event.deltaY * 34 : event.deltaY;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) zoom(turn, event);
    else step(stepsOf(turn));
  }, { passive: false });
}
