// The load target: many buyers order from one running deal with stock for all, as fast as they are answered.
//
//   MAX_VUS NUM_USERS RAMP_DURATION HOLD_DURATION REQUEST_TIMEOUT
//   PRODUCT_ID   a product with a running deal; without it one with STOCK units is made
//
// Every request that is not answered 202 is an error. Latency and count are told apart by `phase`: `hold` is the part
// with all virtual users.

import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';

import { buyer } from './lib/buyers.js';
import { NUM_USERS, count, text } from './lib/env.js';
import { phase, rampAndHold } from './lib/load.js';
import { place, startDeal } from './lib/shop.js';
import { TRUTH, balance, claim } from './lib/truth.js';

const STOCK = count('STOCK', 50_000_000);

/** What went wrong is said so often by each virtual user; after that it is only counted. */
const WARNINGS_MAX = 3;
let warnings = 0;

const duration = new Trend('order_duration', true);
const accepted = new Counter('orders_accepted');
const failed = new Rate('order_errors');

export const options = {
  scenarios: { buyers: rampAndHold() },
  // k6 has the same cores as the shop: what it need not do is not done.
  discardResponseBodies: true,
  summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'max', 'count'],
  thresholds: {
    ...TRUTH,
    order_errors: ['rate<0.001'],
    // A threshold makes k6 keep the figures of a part.
    'order_duration{phase:hold}': ['p(95)<2000'],
    'orders_accepted{phase:hold}': ['count>0'],
    'order_errors{phase:hold}': ['rate<0.001'],
  },
};

export function setup() {
  const given = text('PRODUCT_ID', '');
  const productId = given === '' ? startDeal(STOCK) : given;
  return { productId, heldBefore: balance(productId).held };
}

export default function ({ productId }) {
  const part = { phase: phase() };
  const number = exec.scenario.iterationInTest % NUM_USERS;
  const answer = place(buyer(number), productId);
  const isAccepted = answer.status === 202;
  duration.add(answer.timings.duration, part);
  failed.add(!isAccepted, part);
  if (isAccepted) {
    accepted.add(1, part);
  } else if (warnings < WARNINGS_MAX) {
    warnings += 1;
    console.warn(`not accepted: ${answer.status} ${answer.error}`);
  }
}

export function teardown({ productId, heldBefore }) {
  const live = balance(productId);
  claim(`something was sold: ${JSON.stringify(live)}`, live.held > heldBefore);
}
