package wsconn

// The faults of a client. They are constants in spirit: shared by all connections, never written to.
var (
	faultReserved        = &CloseError{CodeProtocolError, "reserved bits set"}
	faultUnmasked        = &CloseError{CodeProtocolError, "unmasked frame"}
	faultOpcode          = &CloseError{CodeProtocolError, "unknown opcode"}
	faultStray           = &CloseError{CodeProtocolError, "continuation without a beginning"}
	faultInterleaved     = &CloseError{CodeProtocolError, "new message inside a fragmented one"}
	faultControlLength   = &CloseError{CodeProtocolError, "control frame longer than 125 bytes"}
	faultControlFragment = &CloseError{CodeProtocolError, "fragmented control frame"}
	faultLength          = &CloseError{CodeProtocolError, "length not in its shortest form"}
	faultCloseLength     = &CloseError{CodeProtocolError, "close frame of one byte"}
	faultCloseCode       = &CloseError{CodeProtocolError, "invalid close code"}
	faultCloseReason     = &CloseError{CodeInvalidPayload, "close reason is not UTF-8"}
	faultText            = &CloseError{CodeInvalidPayload, "text is not UTF-8"}
	faultNoText          = &CloseError{CodeUnsupportedData, "binary messages only"}
	faultTooBig          = &CloseError{CodeTooBig, "message too long"}
	faultFragments       = &CloseError{CodeTooBig, "message in too many fragments"}
)
