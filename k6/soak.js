// A long, even load with everything a buyer does: of ten who order, five confirm, three cancel, two walk away (their
// holds expire), and each looks at the order again.
//
//   RATE (buyers a second) DURATION NUM_USERS STOCK MAX_VUS REQUEST_TIMEOUT

import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';

import { buyer } from './lib/buyers.js';
import { MAX_VUS, NUM_USERS, count, duration } from './lib/env.js';
import { cancel, code, confirm, place, read, startDeal } from './lib/shop.js';
import { TRUTH, balance, claim } from './lib/truth.js';

const RATE = count('RATE', 100);
const DURATION = duration('DURATION', '30m');
const STOCK = count('STOCK', 50_000_000);

const placing = new Trend('order_duration', true);
const ending = new Trend('end_duration', true);
const isRight = new Rate('right_answers');

export const options = {
  scenarios: {
    buyers: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: `${DURATION}ms`,
      preAllocatedVUs: MAX_VUS,
      maxVUs: MAX_VUS * 10,
    },
  },
  thresholds: {
    ...TRUTH,
    right_answers: ['rate>0.999'],
    order_duration: ['p(95)<500', 'p(99)<2000'],
    end_duration: ['p(95)<500'],
    // A buyer for whom there was no virtual user would have been left out of every figure.
    dropped_iterations: ['count<1'],
  },
};

export function setup() {
  return { productId: startDeal(STOCK) };
}

export default function ({ productId }) {
  const number = exec.scenario.iterationInTest;
  const who = buyer(number % NUM_USERS);
  const placed = place(who, productId);
  placing.add(placed.timings.duration);
  if (!expect('PENDING', 202, placed)) {
    return;
  }
  const id = placed.json('id');
  const fate = number % 10;
  if (fate < 5) {
    expect('CONFIRMED', 200, timed(confirm(who, id)));
  } else if (fate < 8) {
    expect('CANCELLED', 200, timed(cancel(who, id)));
  }
  const status = fate < 5 ? 'CONFIRMED' : fate < 8 ? 'CANCELLED' : 'PENDING';
  expect(status, 200, read(`/orders/${id}`, 'GET /orders/{id}', who));
}

function timed(answer) {
  ending.add(answer.timings.duration);
  return answer;
}

function expect(status, httpStatus, answer) {
  const holds = answer.status === httpStatus && answer.json('status') === status;
  isRight.add(holds);
  if (!holds) {
    console.warn(`${status} was expected: ${code(answer)} ${answer.error} ${answer.body}`);
  }
  return holds;
}

export function teardown({ productId }) {
  const live = balance(productId);
  claim(`something was sold: ${JSON.stringify(live)}`, live.sold > 0);
}
