// Buyers, by number, and for scenarios that count a buyer's orders by run.

/** The id of buyer `number`, from 0 on; the same in every run unless `run` says which. */
export function buyer(number, run = 0) {
  const era = run.toString(16).padStart(8, '0');
  return `${era}-0000-4000-8000-${String(number).padStart(12, '0')}`;
}

/** A number that no run before had: the seconds of now. */
export function newRun() {
  return Math.floor(Date.now() / 1000) % 0x1_0000_0000;
}
