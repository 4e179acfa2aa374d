// @ts-check
// The clock of a live view: it ticks while its tab is on the screen, and at once when that returns.

/** @param {{ data: { ms: number }, setTriggerValue: Function }} component */
export default function ticker({ data, setTriggerValue }) {
  const tick = () => {
    if (!document.hidden) setTriggerValue("tick", true);
  };
  const timer = setInterval(tick, data.ms);
  document.addEventListener("visibilitychange", tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tick);
  };
}
