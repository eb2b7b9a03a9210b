// The shape of a load, and when an iteration falls into which part of it.

import exec from 'k6/execution';

import { HOLD_DURATION, MAX_VUS, RAMP_DURATION } from './env.js';

/** Virtual users grow to MAX_VUS within RAMP_DURATION and stay for HOLD_DURATION; requests in flight then end. */
export function rampAndHold() {
  return {
    executor: 'ramping-vus',
    startVUs: 0,
    stages: [
      { duration: `${RAMP_DURATION}ms`, target: MAX_VUS },
      { duration: `${HOLD_DURATION}ms`, target: MAX_VUS },
    ],
    gracefulRampDown: '30s',
    gracefulStop: '30s',
  };
}

/** `ramp` or `hold`: the load is whole only in the second. */
export function phase() {
  return Date.now() - exec.scenario.startTime < RAMP_DURATION ? 'ramp' : 'hold';
}
