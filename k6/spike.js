// Sold out at once: NUM_USERS buyers, each with one order, race for STOCK units.
//
//   NUM_USERS STOCK MAX_VUS REQUEST_TIMEOUT
//
// Exactly STOCK orders are accepted, and everybody else hears OUT_OF_STOCK.

import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';

import { buyer } from './lib/buyers.js';
import { MAX_VUS, count } from './lib/env.js';
import { code, place, startDeal } from './lib/shop.js';
import { TRUTH, balance, claim } from './lib/truth.js';

const NUM_USERS = count('NUM_USERS', 20_000);
const STOCK = count('STOCK', 100);
if (NUM_USERS < STOCK) {
  throw new Error(`NUM_USERS=${NUM_USERS} cannot buy STOCK=${STOCK}`);
}

const duration = new Trend('order_duration', true);
// Milliseconds since the first request could be sent.
const answeredAt = new Trend('answered_at', true);
const toldYes = new Trend('accepted_duration', true);
const toldNo = new Trend('sold_out_duration', true);
const accepted = new Counter('orders_accepted');
const soldOut = new Counter('orders_sold_out');

export const options = {
  scenarios: {
    buyers: { executor: 'shared-iterations', vus: MAX_VUS, iterations: NUM_USERS, maxDuration: '10m' },
  },
  thresholds: {
    ...TRUTH,
    orders_accepted: [`count==${STOCK}`],
    // With as many buyers as units nobody is refused, and a counter that never counts fails its threshold.
    ...(NUM_USERS > STOCK ? { orders_sold_out: [`count==${NUM_USERS - STOCK}`] } : {}),
    accepted_duration: ['p(95)<2000'],
    sold_out_duration: ['p(95)<1000'],
  },
};

export function setup() {
  return { productId: startDeal(STOCK) };
}

export default function ({ productId }) {
  const answer = place(buyer(exec.scenario.iterationInTest), productId);
  duration.add(answer.timings.duration);
  answeredAt.add(Date.now() - exec.scenario.startTime);
  if (answer.status === 202) {
    accepted.add(1);
    toldYes.add(answer.timings.duration);
  } else if (code(answer) === 'OUT_OF_STOCK') {
    soldOut.add(1);
    toldNo.add(answer.timings.duration);
  } else {
    console.warn(`neither: ${code(answer)} ${answer.error}`);
  }
}

export function teardown({ productId }) {
  const live = balance(productId);
  claim(`nothing is left: ${JSON.stringify(live)}`, live.available === 0);
  claim(`every unit is held: ${JSON.stringify(live)}`, live.held === STOCK);
}
