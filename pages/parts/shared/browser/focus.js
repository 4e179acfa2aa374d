// @ts-check
// Keys of a page work wherever the focus is, but where someone types or chooses.

import { onKeys } from "./panel.js";

const OPEN = "select, [role=listbox]:not(.list), [role=menu], [role=dialog]";
const TEXT = "textarea, [contenteditable=true], input:not([type=checkbox], [type=radio], " +
  "[type=range], [type=color], [type=button], [type=submit], [type=file])";
const SLIDER = "[role=slider], input[type=range], input[type=radio]";
const PRESSED = "button, a, label, summary, [role=button]";
export const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

/** Whether all keys are a field's: those of text fields and open menus are. Those of a closed menu
 * are only for somebody who came there by Tab: after a click or a choice the focus stays behind.
 * @param {Pick<Element, "closest">} field @param {boolean} byTab */
export function hasAllKeys(field, byTab) {
  const menu = field.closest("[role=combobox]");
  if (menu) return byTab || menu.getAttribute("aria-expanded") === "true";
  return Boolean(field.closest(TEXT) || field.closest(OPEN));
}

/** Whether a key is a field's: all are where one types or chooses, arrows on a slider, and Enter on
 * a button for somebody who came there by Tab.
 * @param {Pick<Element, "closest">} field @param {boolean} byTab @param {string} key */
export function hasKey(field, byTab, key) {
  if (hasAllKeys(field, byTab)) return true;
  if (field.closest(SLIDER)) return ARROWS.includes(key);
  return Boolean(key === "Enter" && byTab && field.closest(PRESSED));
}

/** Answer keys wherever the focus is, unless they are the field's own; Escape leaves a text field.
 * @param {(event: KeyboardEvent) => (() => void) | null | undefined} actOf what a key does
 * @param {typeof hasKey} [isOfField]
 * @returns {() => void} ends it */
export function onPageKeys(actOf, isOfField = hasKey) {
  let byTab = false;
  const pressed = () => { byTab = false; };
  const noteTab = (/** @type {KeyboardEvent} */ event) => {
    const field = /** @type {HTMLElement} */ (event.composedPath()[0]);
    const open = field.getAttribute?.("aria-expanded") === "true";
    if (event.key === "Tab") byTab = true;
    else if (event.key === "Enter" && open) byTab = false; // a choice: what one came for is done
    else if (event.key === "Escape" && !open && field.closest?.(TEXT)) field.blur();
  };
  document.addEventListener("pointerdown", pressed, { capture: true });
  document.addEventListener("keydown", noteTab, { capture: true });
  const forget = onKeys(document, (event) => {
    const field = /** @type {any} */ (event.composedPath()[0]); // the document has no `closest`
    return field.closest && isOfField(field, byTab, event.key) ? null : actOf(event);
  }, true);
  return () => {
    forget();
    document.removeEventListener("pointerdown", pressed, { capture: true });
    document.removeEventListener("keydown", noteTab, { capture: true });
  };
}
