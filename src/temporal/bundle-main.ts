import { buildWorkflowBundle } from './bundle.js';

await buildWorkflowBundle();
