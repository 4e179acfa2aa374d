// @ts-check
// The rows of the queue: what has not reached the disk yet lies over them; filters; who is next.

/** @typedef {{ subject: string, number: number | null, flag: string, level: string,
 *   rating: number | null, others: string, saving?: boolean, failed?: string }} Row */
/** What is told of a subject, and sent until it is answered.
 * @typedef {{ token: string, act: "accept" | "undo", study: string, rater: string,
 *   subject: string, scan: string, files: string, map: string, range: string,
 *   level: number | null,
 *   upper: number | null, side: string, rule: string, post: string[], flag: string,
 *   rating: number | null, note: string, seconds: number | null, truth_shown: boolean,
 *   dice_shown: boolean, blind: boolean, pieces: any }} Act */

/** @type {Record<string, { label: string, keeps: (row: Row) => boolean }>} */
export const FILTERS = {
  all: { label: "all", keeps: () => true },
  open: { label: "open", keeps: (row) => row.number === null },
  doubtful: { label: "doubtful", keeps: ({ flag }) => flag === "doubtful" || flag === "flipped" },
  mine: { label: "mine", keeps: (row) => row.number !== null },
};

/** What an act keeps, in short, as `Decision.text` says it.
 * @type {(act: Pick<Act, "flag" | "level" | "upper" | "side">) => string} */
export function keptText({ flag, level, upper, side }) {
  if (flag === "exclude") return "no mask";
  if (level === null) return "no lesion";
  return upper !== null ? `${level} to ${upper}` : `${side === "dark" ? "≤" : "≥"} ${level}`;
}

/** Rows as they will be once the acts under way are on the disk.
 * @param {Row[]} rows @param {Act[]} acts @param {Record<string, string>} failures by subject */
export function overlaid(rows, acts, failures = {}) {
  const last = new Map(acts.map((act) => [act.subject, act]));
  return rows.map((row) => {
    const act = last.get(row.subject), failed = failures[row.subject];
    if (!act) return failed ? { ...row, failed } : row;
    if (act.act === "undo") return { ...row, number: null, flag: "", level: "", saving: true };
    const { flag, rating } = act;
    return { ...row, number: Infinity, flag, rating, level: keptText(act), saving: true };
  });
}

/** Subjects that follow another one, going round: open ones, or those a filter of decided ones
 * keeps. @type {(rows: Row[], filter: string, from: string) => string[]} */
export function following(rows, filter, from) {
  const place = rows.findIndex((row) => row.subject === from);
  const after = [...rows.slice(place + 1), ...rows.slice(0, Math.max(0, place))];
  const kept = filter === "doubtful" || filter === "mine" ? filter : "open";
  return after.filter(FILTERS[kept].keeps).map((row) => row.subject);
}

/** How a list shows names that are too long for it: without the end that all of them share.
 * @type {(names: string[], room?: number) => (name: string) => string} */
export function shortened(names, room = 20) {
  const [first = ""] = names;
  let end = first.length;
  for (const name of names) while (!name.endsWith(first.slice(first.length - end))) end -= 1;
  const fits = names.every(({ length }) => length <= room);
  const whole = fits || end < 2 || names.some(({ length }) => length <= end);
  return whole ? (name) => name : (name) => `${name.slice(0, -end)}…`;
}

/** The subject before another in the queue, going round.
 * @type {(rows: Row[], from: string) => string} */
export function before(rows, from) {
  const place = rows.findIndex((row) => row.subject === from);
  return rows.at(place - 1)?.subject ?? from;
}

/** The subject of a rater's last decision, "" for none. @param {Row[]} rows @param {Act[]} acts */
export function lastDecided(rows, acts) {
  const undone = new Set();
  for (const act of acts.toReversed()) {
    if (act.act === "undo") undone.add(act.subject);
    else if (!undone.delete(act.subject)) return act.subject;
  }
  const decided = rows.filter((row) => row.number !== null && !undone.has(row.subject));
  return decided.reduce((last, row) => !last || Number(row.number) > Number(last.number)
    ? row : last, /** @type {Row | null} */ (null))?.subject ?? "";
}
