/**
 * In CI the property tests draw the same cases in every run, so that a red run is about the change it tests. Elsewhere each run
 * draws new ones: that is where they find things.
 */
import { configureGlobal } from 'fast-check';

if (process.env['CI']) configureGlobal({ seed: 20_261_121 });
