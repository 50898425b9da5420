'use strict';
/*
 * Writes the message and the stack of a failure as a payload, which a codec then encrypts. The worker and the clients load it by its path,
 * and with `require`, where payloads are encrypted; workflows have their own, workflows/failure-converter.ts.
 */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
