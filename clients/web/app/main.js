import { Client } from '/js/index.js';
export { Client };
