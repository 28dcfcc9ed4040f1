package unsound

import "net/http"

var client http.Client
