// @ts-check
// What the lessons' window and the speaker's window tell each other, inside one browser.

/** @typedef {{ kind: "shows", from: string, on: boolean, stop: number, began: number }} Shows the
 *   lesson on the screen, and since when it is presented, in ms (0: it is not)
 * @typedef {{ kind: "ask" } | { kind: "gone", from: string } | { kind: "restart", to: string }
 *   | { kind: "move", to: string, move: string } | Shows} Said */

/** Hear what the other windows say, and say something to them.
 * @param {(said: Said) => void} hear */
export function openChannel(hear) {
  const channel = new BroadcastChannel("ascnet-lessons");
  channel.onmessage = (event) => hear(event.data);
  return {
    /** @param {Said} said */
    say(said) { channel.postMessage(said); },
    close() { channel.close(); },
  };
}
