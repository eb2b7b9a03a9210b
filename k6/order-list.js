// Buyers look at their orders: the list, by status, and one of them.
//
//   NUM_USERS ORDERS MAX_VUS RAMP_DURATION HOLD_DURATION REQUEST_TIMEOUT

import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';

import { buyer, newRun } from './lib/buyers.js';
import { NUM_USERS, count } from './lib/env.js';
import { rampAndHold } from './lib/load.js';
import { place, read, startDeal } from './lib/shop.js';

const ORDERS = count('ORDERS', 5);

const list = new Trend('list_duration', true);
const one = new Trend('order_duration', true);
const isRight = new Rate('right_answers');

export const options = {
  scenarios: { readers: rampAndHold() },
  setupTimeout: '5m',
  thresholds: {
    right_answers: ['rate==1'],
    list_duration: ['p(95)<1000'],
    order_duration: ['p(95)<500'],
  },
};

export function setup() {
  const run = newRun();
  const productId = startDeal(NUM_USERS * ORDERS);
  for (let number = 0; number < NUM_USERS * ORDERS; number += 1) {
    const answer = place(buyer(number % NUM_USERS, run), productId);
    if (answer.status !== 202) {
      throw new Error(`an order is refused: ${answer.status} ${answer.body}`);
    }
  }
  return { run };
}

export default function ({ run }) {
  const number = exec.scenario.iterationInTest;
  const who = buyer(number % NUM_USERS, run);
  // What is pending may expire in a long run; how many orders there are stays.
  const answer = read('/orders?page=1&size=20', 'GET /orders', who);
  list.add(answer.timings.duration);
  const found = answer.status === 200 ? answer.json() : { items: [], total: 0 };
  isRight.add(found.total === ORDERS && found.items.every((order) => order.user_id === who));
  const confirmed = read('/orders?page=1&size=20&status=CONFIRMED', 'GET /orders?status', who);
  list.add(confirmed.timings.duration);
  isRight.add(confirmed.status === 200 && confirmed.json('total') === 0);
  if (found.items.length === 0) {
    return;
  }
  const { id } = found.items[number % found.items.length];
  const order = read(`/orders/${id}`, 'GET /orders/{id}', who);
  one.add(order.timings.duration);
  isRight.add(order.status === 200 && order.json('id') === id);
}
