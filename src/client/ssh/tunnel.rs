//! A way to a host through another one: a forwarded channel of a session on the bastion, as a socket of this machine.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{Channel, Session};

use super::session::{connect, log_in_on};
use super::{SshError, Target};

/// How long nothing may move before the bastion is asked whether it is still there.
const QUIET: Timespec = Timespec { tv_sec: 15, tv_nsec: 0 };

/// Connects to the bastion, lets it connect to the target, and gives the socket that leads there.
///
/// # Errors
/// Those of a session on the bastion, and [`SshError::Tunnel`] when it cannot reach the target.
pub(super) fn through(bastion: &Target, target: &Target) -> Result<UnixStream, SshError> {
    let stream = connect(bastion)?;
    let failed = |source: io::Error| SshError::Lost { place: bastion.place(), step: "opening a tunnel", source };
    let watched = stream.try_clone().map_err(failed)?;
    let session = log_in_on(bastion, stream)?;
    let channel = session.channel_direct_tcpip(&target.host, target.port, None).map_err(|source| SshError::Tunnel {
        place: target.address(),
        bastion: bastion.place(),
        source,
    })?;
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    theirs.set_nonblocking(true).map_err(failed)?;
    session.set_blocking(false);
    std::thread::spawn(move || {
        // Whatever ends it closes the socket, which is all that the other side needs to know.
        let _ = pump(&session, channel, &theirs, &watched);
        let _ = theirs.shutdown(Shutdown::Both);
    });
    Ok(ours)
}

/// Moves bytes both ways until one side ends.
fn pump(session: &Session, mut channel: Channel, socket: &UnixStream, bastion: &TcpStream) -> io::Result<()> {
    let (mut up, mut down) = (Pipe::default(), Pipe::default());
    loop {
        let moved = up.step(&mut &*socket, &mut channel)? | down.step(&mut channel, &mut &*socket)?;
        if up.ended || down.ended && down.is_empty() || channel.eof() && down.is_empty() {
            return Ok(());
        }
        if moved {
            continue;
        }
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, up.is_empty());
        wanted.set(PollFlags::OUT, !down.is_empty());
        let mut fds = [PollFd::new(&socket, wanted), PollFd::new(&bastion, PollFlags::IN)];
        // A full channel opens again with a message from the bastion.
        if poll(&mut fds, Some(&QUIET))? == 0 {
            session.keepalive_send()?;
        }
    }
}

/// What was read and is not yet written.
#[derive(Default)]
struct Pipe {
    held: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Pipe {
    fn is_empty(&self) -> bool {
        self.at == self.held.len()
    }

    /// Moves what can be moved at once; whether anything was.
    fn step(&mut self, from: &mut impl Read, to: &mut impl Write) -> io::Result<bool> {
        let mut moved = false;
        if self.is_empty() && !self.ended {
            self.held.resize(32 * 1024, 0);
            self.at = 0;
            match from.read(&mut self.held) {
                Ok(count) => {
                    self.ended = count == 0;
                    self.held.truncate(count);
                    moved = count > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.held.clear(),
                Err(error) => return Err(error),
            }
        }
        if !self.is_empty() {
            match to.write(&self.held[self.at..]) {
                Ok(count) => {
                    self.at += count;
                    moved |= count > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }
}
