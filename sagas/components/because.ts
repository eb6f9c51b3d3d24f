export { because } from '../engine/component.ts';
