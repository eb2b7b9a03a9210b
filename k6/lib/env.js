// What a run is told, by environment variables. Each has a default that suits a shop on this machine.

/** Where buyers reach the shop. */
export const BASE_URL = text('BASE_URL', 'http://127.0.0.1:8080');
/** Where the operator reaches product-service; the same as the buyers' when there is a gateway. */
export const PRODUCT_URL = text('PRODUCT_URL', BASE_URL);
/** The operator's token, which a shop beyond this machine asks for. */
export const ADMIN_TOKEN = text('ADMIN_TOKEN', '');
/** Different buyers. */
export const NUM_USERS = count('NUM_USERS', 100);
/** Virtual users at once, at most. */
export const MAX_VUS = count('MAX_VUS', 100);
/** From none to all of them. */
export const RAMP_DURATION = duration('RAMP_DURATION', '5s');
/** All of them at once. */
export const HOLD_DURATION = duration('HOLD_DURATION', '20s');
/** How long a buyer waits for an answer. */
export const REQUEST_TIMEOUT = text('REQUEST_TIMEOUT', '10s');

export function text(name, standard) {
  const value = __ENV[name];
  return value === undefined || value === '' ? standard : value;
}

export function count(name, standard) {
  const value = text(name, String(standard));
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`${name} must be a whole number from 1 on, not ${value}`);
  }
  return number;
}

/** Milliseconds out of `500ms`, `5s`, `2m`, `1h`. */
export function duration(name, standard) {
  const value = text(name, standard);
  const [, number, unit] = /^(\d+)(ms|s|m|h)$/.exec(value) || [];
  if (unit === undefined) {
    throw new Error(`${name} must be like 500ms, 5s or 2m, not ${value}`);
  }
  return Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit];
}
