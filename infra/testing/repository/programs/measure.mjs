// The repository's benchmark: what the work costs.
import { readWork } from './control.mjs';

console.log(JSON.stringify({ cost: readWork().cost }));
