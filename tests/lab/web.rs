//! A STAND-IN for the web interfaces of programs that cannot be had here (ClickHouse, SigNoz, OpenPanel, the relay): it
//! answers every request with `200` and `Ok.`, which is what their health pages say.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};

/// The port of 127.0.0.1 that it answers on, as long as this process runs.
pub fn web_stand_in() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                // Requests without a body, as health checks are: they end with an empty line.
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(count @ 1..) => request.extend_from_slice(&buffer[..count]),
                        _ => return,
                    }
                }
                let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\nconnection: close\r\n\r\nOk.\n";
                stream.write_all(answer.as_bytes()).ok();
            });
        }
    });
    port
}
