// Browsing the catalogue: pages, pages of a category, a product, its stock.
//
//   PRODUCTS MAX_VUS RAMP_DURATION HOLD_DURATION REQUEST_TIMEOUT

import exec from 'k6/execution';
import { Rate, Trend } from 'k6/metrics';

import { count } from './lib/env.js';
import { rampAndHold } from './lib/load.js';
import { addProduct, read } from './lib/shop.js';

const PRODUCTS = count('PRODUCTS', 100);
const PAGE = 20;
const STOCK = 7;

const list = new Trend('list_duration', true);
const one = new Trend('product_duration', true);
const isRight = new Rate('right_answers');

export const options = {
  scenarios: { readers: rampAndHold() },
  thresholds: {
    right_answers: ['rate==1'],
    list_duration: ['p(95)<1000'],
    product_duration: ['p(95)<500'],
  },
};

export function setup() {
  return { ids: Array.from({ length: PRODUCTS }, () => addProduct(STOCK)) };
}

export default function ({ ids }) {
  const number = exec.scenario.iterationInTest;
  const page = (number % Math.ceil(PRODUCTS / PAGE)) + 1;
  const category = number % 2 === 0 ? '&category=load' : '';
  const answer = read(`/products?page=${page}&size=${PAGE}${category}`, 'GET /products');
  list.add(answer.timings.duration);
  isRight.add(answer.status === 200 && answer.json('total') >= PRODUCTS && answer.json('items').length > 0);
  const id = ids[number % ids.length];
  const product = read(`/products/${id}`, 'GET /products/{id}');
  one.add(product.timings.duration);
  isRight.add(product.status === 200 && product.json('id') === id);
  const stock = read(`/products/${id}/stock`, 'GET /products/{id}/stock');
  one.add(stock.timings.duration);
  isRight.add(stock.status === 200 && stock.json('stock') === STOCK);
}
