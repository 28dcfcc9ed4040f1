// Limits of protocol version 1, as in protocol/limits.go: what a server may send is checked against them
// before anything is allocated.

export const VERSION = 1;
export const SUBPROTOCOL = 'skirmish.v1';
/** Begins a second one that carries the hello. */
export const HELLO_SUBPROTOCOL = 'skirmish.hello.';

export const MAX_TOKEN_BYTES = 1024;
export const MAX_INPUTS_PER_MESSAGE = 32;
export const MAX_INPUT_FIELDS = 32;
export const MAX_REQUEST_BYTES = 2048;
export const MAX_REPLY_BYTES = 16384;
export const MAX_PLAYER_ID_BYTES = 64;
export const MAX_NAME_BYTES = 32;
export const MAX_KINDS = 32;
export const MAX_FIELDS = 32;
export const MAX_FIELD_NAME_BYTES = 32;
export const MAX_EVENT_KINDS = 256;
export const MAX_TEXT_BYTES = 256;
export const MAX_ROWS = 16384;
export const MAX_SERVER_MESSAGE_BYTES = 1 << 20;
export const MAX_REASON_BYTES = 123;
export const MAX_TICK_RATE = 240;
export const MAX_MATCH_ID_BYTES = 128;
export const MAX_GAME_BYTES = 64;
export const MAX_URL_BYTES = 2048;
export const MAX_ERROR_BYTES = 256;
export const MAX_ROSTER_ENTRIES = 8192;
export const MAX_U8 = 0xff;
export const MAX_U16 = 0xffff;
export const MAX_U32 = 0xffffffff;
/** µs fit a double exactly until the year 2255. */
export const MAX_TIME = Number.MAX_SAFE_INTEGER;
