// @ts-check
// Acts that Python has not said are on the disk: kept in the browser, also over a reload, and sent
// until they are answered. Each names its own subject, so that none can land on another.

/** @typedef {{ token: string, subject: string }} Act what every act has */

/** A name that no other act has; `randomUUID` is missing over plain http from afar. */
export function newToken() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return [...numbers].map((number) => number.toString(16).padStart(8, "0")).join("");
}

/** What earlier pages left on a shelf, or other tabs are sending: this one sends it from now on,
 * too. What is sent twice is kept once. No shelf's name may begin another's.
 * @type {(shelf: string, tab: string) => any[]} */
export function adopt(shelf, tab) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(shelf));
    const acts = names.flatMap((name) => JSON.parse(localStorage.getItem(name) ?? "[]"));
    const once = [...new Map(acts.map((act) => [act.token, act])).values()];
    for (const name of names) localStorage.removeItem(name);
    keep(shelf, tab, once);
    return once;
  } catch {
    return [];
  }
}

/** Keep acts on a shelf. Each tab has a place of its own there, so that two do not write over each
 * other. @type {(shelf: string, tab: string, acts: Act[]) => void} */
export function keep(shelf, tab, acts) {
  const name = `${shelf} ${tab}`;
  try {
    if (acts.length) localStorage.setItem(name, JSON.stringify(acts));
    else localStorage.removeItem(name);
  } catch { /* private windows: they last as long as the page */ }
}

/** The acts left once these tokens are answered, those done, and by subject why some could not be
 * kept.
 * @template {Act} One @param {One[]} acts
 * @param {Record<string, string>} answers by token; "": on the disk */
export function answered(acts, answers) {
  const left = acts.filter((act) => !(act.token in answers));
  const done = acts.filter((act) => answers[act.token] === "");
  const failed = acts.filter((act) => answers[act.token]);
  /** @type {Record<string, string>} */
  const failures = Object.fromEntries(failed.map((act) => [act.subject, answers[act.token]]));
  return { left, failures, done };
}
