// Greedy buyers: each sends LIMIT + EXTRA orders at once to a deal of which nobody gets more than LIMIT units.
//
//   NUM_USERS LIMIT EXTRA MAX_VUS REQUEST_TIMEOUT

import exec from 'k6/execution';
import http from 'k6/http';
import { Rate, Trend } from 'k6/metrics';

import { buyer, newRun } from './lib/buyers.js';
import { BASE_URL, MAX_VUS, NUM_USERS, REQUEST_TIMEOUT, count } from './lib/env.js';
import { code, startDeal } from './lib/shop.js';
import { TRUTH, balance, claim } from './lib/truth.js';

const LIMIT = count('LIMIT', 2);
const EXTRA = count('EXTRA', 3);

const duration = new Trend('order_duration', true);
const isKept = new Rate('limit_kept');

export const options = {
  scenarios: {
    buyers: { executor: 'shared-iterations', vus: MAX_VUS, iterations: NUM_USERS, maxDuration: '10m' },
  },
  batchPerHost: 0,
  batch: LIMIT + EXTRA,
  thresholds: { ...TRUTH, limit_kept: ['rate==1'], order_duration: ['p(95)<2000'] },
};

export function setup() {
  return { productId: startDeal(NUM_USERS * (LIMIT + EXTRA), LIMIT), run: newRun() };
}

export default function ({ productId, run }) {
  const body = JSON.stringify({ items: [{ product_id: productId, quantity: 1 }] });
  const who = buyer(exec.scenario.iterationInTest, run);
  const headers = { 'content-type': 'application/json', 'x-user-id': who };
  const params = { headers, tags: { name: 'POST /orders' }, timeout: REQUEST_TIMEOUT };
  const order = { method: 'POST', url: `${BASE_URL}/orders`, body, params };
  const told = {};
  for (const answer of http.batch(Array(LIMIT + EXTRA).fill(order))) {
    duration.add(answer.timings.duration);
    const what = answer.status === 202 ? 'accepted' : code(answer);
    told[what] = (told[what] || 0) + 1;
  }
  const kept = told.accepted === LIMIT && told.PER_USER_LIMIT === EXTRA;
  isKept.add(kept);
  if (!kept) {
    console.error(`LIMIT=${LIMIT} EXTRA=${EXTRA}, but ${JSON.stringify(told)}`);
  }
}

export function teardown({ productId }) {
  const live = balance(productId);
  const told = JSON.stringify(live);
  claim(`each buyer holds LIMIT units: ${told}`, live.held === NUM_USERS * LIMIT);
}
