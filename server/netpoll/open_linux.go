package netpoll

func systemDriver() Driver { return NewEpoll() }

func epollDriver() Driver { return NewEpoll() }
