/** The workflow types that the worker registers: every export is one. */
export { campaign } from './campaign.js';
export { elevate } from './elevate.js';
export { elevationReview } from './elevation-review.js';
export { exception } from './exception.js';
export { identity } from './identity.js';
export { offboard } from './offboard.js';
export { provision } from './provision.js';
export { revoke } from './revoke.js';
export { rotate } from './rotate.js';
export { routineReview } from './routine-review.js';
export { validate } from './validate.js';
