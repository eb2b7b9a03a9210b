// Impatient buyers: each clicks CLICKS times at once, under one Idempotency-Key. It is one order.
//
//   NUM_USERS CLICKS MAX_VUS REQUEST_TIMEOUT

import exec from 'k6/execution';
import http from 'k6/http';
import { Rate, Trend } from 'k6/metrics';

import { buyer, newRun } from './lib/buyers.js';
import { BASE_URL, MAX_VUS, NUM_USERS, REQUEST_TIMEOUT, count } from './lib/env.js';
import { code, place, startDeal } from './lib/shop.js';
import { TRUTH, balance, claim } from './lib/truth.js';

const CLICKS = count('CLICKS', 5);
/** A click that is told to come back (503) does so. */
const TRIES = 10;

const duration = new Trend('click_duration', true);
const isOne = new Rate('one_order');

export const options = {
  scenarios: {
    buyers: { executor: 'shared-iterations', vus: MAX_VUS, iterations: NUM_USERS, maxDuration: '10m' },
  },
  // All of a buyer's clicks are under way together.
  batchPerHost: 0,
  batch: CLICKS,
  thresholds: { ...TRUTH, one_order: ['rate==1'], click_duration: ['p(95)<2000'] },
};

export function setup() {
  return { productId: startDeal(NUM_USERS * 2), run: newRun() };
}

export default function ({ productId, run }) {
  const number = exec.scenario.iterationInTest;
  const who = buyer(number, run);
  const key = `click-${number}`;
  const body = JSON.stringify({ items: [{ product_id: productId, quantity: 1 }] });
  const headers = { 'content-type': 'application/json', 'x-user-id': who, 'idempotency-key': key };
  const params = { headers, tags: { name: 'POST /orders' }, timeout: REQUEST_TIMEOUT };
  const click = { method: 'POST', url: `${BASE_URL}/orders`, body, params };
  const ids = new Set();
  for (const first of http.batch(Array(CLICKS).fill(click))) {
    duration.add(first.timings.duration);
    const answer = untilAnswered(first, who, productId, key);
    ids.add(answer.status === 202 ? answer.json('id') : `refused: ${code(answer)}`);
  }
  const [id] = ids;
  if (!isOne.add(ids.size === 1 && !id.startsWith('refused')) && ids.size !== 1) {
    console.error(`one key, but ${[...ids].join(', ')}`);
  }
}

function untilAnswered(first, who, productId, key) {
  let answer = first;
  for (let tries = 1; tries < TRIES && answer.status === 503; tries += 1) {
    answer = place(who, productId, { key });
  }
  return answer;
}

export function teardown({ productId }) {
  const live = balance(productId);
  claim(`each buyer holds one unit: ${JSON.stringify(live)}`, live.held === NUM_USERS);
}
