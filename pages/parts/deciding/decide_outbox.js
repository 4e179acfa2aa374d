// @ts-check
// Acts that Python has not said are on the disk: kept in the browser, also over a reload, and sent
// until they are answered. Each names its own subject, so that none can land on another.

/** @typedef {{ token: string, act: "accept" | "undo", study: string, rater: string,
 *   subject: string, scan: string, files: string, map: string, range: string, level: number | null,
 *   upper: number | null, side: string, rule: string, post: string[], flag: string,
 *   rating: number | null, note: string, seconds: number | null, truth_shown: boolean,
 *   dice_shown: boolean, blind: boolean, pieces: any }} Act */

/** Each tab has a place of its own, so that two of one rater do not write over each other.
 * @type {(study: string, rater: string) => string} */
const nameOf = (study, rater) => `ascnet acts ${JSON.stringify([study, rater])}`;

/** A name that no other act has; `randomUUID` is missing over plain http from afar. */
export function newToken() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return [...numbers].map((number) => number.toString(16).padStart(8, "0")).join("");
}

/** What earlier pages left, or other tabs are sending: this one sends it from now on, too. What is
 * sent twice is kept once. @type {(study: string, rater: string, tab: string) => Act[]} */
export function adopt(study, rater, tab) {
  try {
    const names = Object.keys(localStorage).filter((key) => key.startsWith(nameOf(study, rater)));
    const acts = names.flatMap((name) => JSON.parse(localStorage.getItem(name) ?? "[]"));
    const once = [...new Map(acts.map((act) => [act.token, act])).values()];
    for (const name of names) localStorage.removeItem(name);
    keep(study, rater, tab, once);
    return once;
  } catch {
    return [];
  }
}

/** @type {(study: string, rater: string, tab: string, acts: Act[]) => void} */
export function keep(study, rater, tab, acts) {
  const name = `${nameOf(study, rater)} ${tab}`;
  try {
    if (acts.length) localStorage.setItem(name, JSON.stringify(acts));
    else localStorage.removeItem(name);
  } catch { /* private windows: they last as long as the page */ }
}

/** The acts left once these tokens are answered, and by subject why some could not be kept.
 * @param {Act[]} acts @param {Record<string, string>} answers by token; "": on the disk
 * @returns {{ left: Act[], failures: Record<string, string>, done: Act[] }} */
export function answered(acts, answers) {
  const left = acts.filter((act) => !(act.token in answers));
  const done = acts.filter((act) => answers[act.token] === "");
  const failed = acts.filter((act) => answers[act.token]);
  const failures = Object.fromEntries(failed.map((act) => [act.subject, answers[act.token]]));
  return { left, failures, done };
}
