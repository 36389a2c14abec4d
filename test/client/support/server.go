// A server as people write one with Go's net/http: an event for each tick, from the reader's last on, for as long as it stays.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

func stream(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	if !ok {
		http.Error(w, "streaming unsupported", http.StatusInternalServerError)
		return
	}
	number, _ := strconv.Atoi(r.Header.Get("Last-Event-ID")) // 0 for whoever is new
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Connection", "keep-alive")
	fmt.Fprint(w, "retry: 20\n\n")
	flusher.Flush()
	fmt.Println("from", number)

	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	keepAlive := time.NewTicker(20 * time.Millisecond)
	defer keepAlive.Stop()
	for {
		select {
		case <-r.Context().Done():
			fmt.Println("left at", number)
			return
		case <-keepAlive.C:
			fmt.Fprint(w, ": keep-alive\n\n")
		case at := <-ticker.C:
			number++
			fmt.Fprintf(w, "id: %d\nevent: tick\ndata: number %d\ndata: %s\n\n", number, number, at.Format(time.RFC3339))
		}
		flusher.Flush()
	}
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listens", listener.Addr().(*net.TCPAddr).Port)
	http.HandleFunc("/events", stream)
	log.Fatal(http.Serve(listener, nil))
}
