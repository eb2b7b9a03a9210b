// Everybody looks at the deals before they order: the list, and one deal of it.
//
//   DEALS MAX_VUS RAMP_DURATION HOLD_DURATION REQUEST_TIMEOUT

import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';

import { count } from './lib/env.js';
import { rampAndHold } from './lib/load.js';
import { read, startDeal } from './lib/shop.js';

const DEALS = count('DEALS', 50);
const PAGE = 20;

const list = new Trend('list_duration', true);
const one = new Trend('deal_duration', true);
const isRight = new Rate('right_answers');

export const options = {
  scenarios: { readers: rampAndHold() },
  thresholds: {
    right_answers: ['rate==1'],
    list_duration: ['p(95)<1000'],
    deal_duration: ['p(95)<500'],
  },
};

export function setup() {
  for (let number = 0; number < DEALS; number += 1) {
    startDeal(100);
  }
}

export default function () {
  const pages = Math.ceil(DEALS / PAGE);
  const page = (exec.scenario.iterationInTest % pages) + 1;
  const answer = read(`/products/deals?page=${page}&size=${PAGE}`, 'GET /products/deals');
  list.add(answer.timings.duration);
  const found = answer.status === 200 ? answer.json() : { items: [], total: 0 };
  if (!isRight.add(found.total >= DEALS && found.items.length > 0) && found.items.length === 0) {
    console.warn(`page ${page}: ${answer.status} ${answer.body}`);
    return;
  }
  const { deal_id: id } = found.items[exec.scenario.iterationInTest % found.items.length];
  const deal = read(`/products/deals/${id}`, 'GET /products/deals/{id}');
  one.add(deal.timings.duration);
  isRight.add(deal.status === 200 && deal.json('deal_id') === id);
}
