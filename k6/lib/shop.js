// The shop's calls. Those of buyers take a buyer, those of the operator carry the token.

import http from 'k6/http';

import { ADMIN_TOKEN, BASE_URL, PRODUCT_URL, REQUEST_TIMEOUT } from './env.js';

const JSON_BODY = { 'content-type': 'application/json' };

function operator() {
  const token = ADMIN_TOKEN === '' ? {} : { authorization: `Bearer ${ADMIN_TOKEN}` };
  const headers = { ...JSON_BODY, ...token };
  // A scenario may leave the bodies of its buyers unread; these are read.
  return { headers, tags: { name: 'operator' }, timeout: '30s', responseType: 'text' };
}

function must(response, status, what) {
  if (response.status !== status) {
    throw new Error(`${what}: ${response.status} ${response.error} ${response.body}`);
  }
  return response.json();
}

/** A new product with `stock` units on its shelf; its id. */
export function addProduct(stock) {
  const body = JSON.stringify({ name: '한정판 운동화', price: 10_000, category: 'load', stock });
  return must(http.post(`${PRODUCT_URL}/products`, body, operator()), 201, 'adding a product').id;
}

/** A new product with a running deal of `units`; `perUserLimit` units a buyer, if it is given. Its product's id. */
export function startDeal(units, perUserLimit) {
  const id = addProduct(units);
  const body = JSON.stringify(perUserLimit === undefined ? {} : { per_user_limit: perUserLimit });
  const url = `${PRODUCT_URL}/products/${id}/hotdeal/start`;
  must(http.post(url, body, operator()), 200, 'starting a deal');
  return id;
}

/** The live sum of a product's deal. */
export function liveSum(productId) {
  const url = `${PRODUCT_URL}/products/${productId}/hotdeal`;
  return must(http.get(url, operator()), 200, 'reading a deal');
}

/** Orders `quantity` units, under a key if one is given. */
export function place(buyer, productId, { quantity = 1, key } = {}) {
  const body = JSON.stringify({ items: [{ product_id: productId, quantity }] });
  const headers = { ...JSON_BODY, 'x-user-id': buyer };
  if (key !== undefined) {
    headers['idempotency-key'] = key;
  }
  const tags = { name: 'POST /orders' };
  return http.post(`${BASE_URL}/orders`, body, { headers, tags, timeout: REQUEST_TIMEOUT });
}

export function confirm(buyer, orderId) {
  return act('confirm', buyer, orderId);
}

export function cancel(buyer, orderId) {
  return act('cancel', buyer, orderId);
}

function act(verb, buyer, orderId) {
  const tags = { name: `POST /orders/{id}/${verb}` };
  const params = { headers: { 'x-user-id': buyer }, tags, timeout: REQUEST_TIMEOUT };
  return http.post(`${BASE_URL}/orders/${orderId}/${verb}`, null, params);
}

/** A page of what anybody may read, or of a buyer's own. */
export function read(path, name, buyer) {
  const headers = buyer === undefined ? {} : { 'x-user-id': buyer };
  return http.get(`${BASE_URL}${path}`, { headers, tags: { name }, timeout: REQUEST_TIMEOUT });
}

/** The code of a refusal, such as `OUT_OF_STOCK`; of an answer that is none, its status. */
export function code(response) {
  const type = response.headers['Content-Type'] || '';
  const isProblem = type.startsWith('application/problem+json') && response.body;
  return isProblem ? response.json('error') : String(response.status);
}
