// Whether every unit is somewhere, as the shop itself says it, at the end of a run. A run that finds one missing
// fails by the threshold on `truth`.

import { sleep } from 'k6';
import { Rate } from 'k6/metrics';

import { liveSum } from './shop.js';

const PLACES = ['available', 'held', 'sold', 'written_off', 'returned'];
const PATIENCE_SECONDS = 10;

const truth = new Rate('truth');

/** The threshold of every scenario that sells. */
export const TRUTH = { truth: ['rate==1'] };

/** States a fact that must hold; says so if it does not. */
export function claim(what, holds) {
  truth.add(holds);
  if (!holds) {
    console.error(`untrue: ${what}`);
  }
  return holds;
}

/** The live sum, once gate and ledger agree if they do within 10 s. No unit may be missing or one too many. */
export function balance(productId) {
  let live = liveSum(productId);
  // After a sale the gate may be too high for a moment; what the ledger has is always exact.
  for (let waited = 0; waited < PATIENCE_SECONDS && !isAtRest(live); waited += 0.2) {
    sleep(0.2);
    live = liveSum(productId);
  }
  const sum = PLACES.reduce((units, place) => units + live[place], 0);
  const told = JSON.stringify(live);
  claim(`initial + restocked is the sum of all places: ${told}`, live.initial + live.restocked === sum);
  claim(`no figure is negative: ${told}`, PLACES.every((place) => live[place] >= 0));
  // Too high it only costs a look at the ledger, which refuses; too low it would keep units from being sold.
  claim(`the gate is not too low: ${told}`, (live.drift || 0) >= 0);
  return live;
}

function isAtRest(live) {
  const inFlight = live.gate && live.gate.present ? live.gate.in_flight : 0;
  return (live.drift === null || live.drift === undefined || live.drift === 0) && inFlight === 0;
}
