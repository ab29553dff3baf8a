//! Standard streams: data to stdout, everything else to stderr, both aware of who is watching.
//!
//! A reader that closes the pipe early (`| head`) ends the output quietly and nothing else: a
//! command goes on to its end and keeps its exit code. Used by `cli`; inner modules write into
//! strings. The only place that writes to the process's streams.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::host::env::Env;

/// When to paint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// When a terminal is there and nothing says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Columns of a page when nobody says how many there are.
const DEFAULT_COLUMNS: usize = 100;

/// The three standard streams.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    input: Box<dyn BufRead + Send>,
    out_closed: bool,
    traits: Traits,
}

/// What is known about the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five independent facts about three streams")]
pub struct Traits {
    /// Columns of a page.
    pub columns: usize,
    /// Whether data is painted.
    pub color_out: bool,
    /// Whether messages are painted.
    pub color_err: bool,
    /// Whether a person reads the messages as they come.
    pub watched: bool,
    /// Whether a person can answer a question.
    pub interactive: bool,
    /// Whether data goes to a terminal.
    pub out_is_terminal: bool,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").field("traits", &self.traits).finish_non_exhaustive()
    }
}

impl Terminal {
    /// The process's streams.
    #[must_use]
    pub fn of_process(choice: ColorChoice, env: &Env) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let (out_tty, err_tty) = (out.is_terminal(), err.is_terminal());
        let size = terminal_size::terminal_size_of(&out)
            .or_else(|| terminal_size::terminal_size_of(&err))
            .map(|(width, _)| usize::from(width.0));
        let dumb = env.get("TERM") == Some("dumb");
        let traits = Traits {
            columns: columns(env, size),
            color_out: paints(choice, env, out_tty),
            color_err: paints(choice, env, err_tty),
            watched: err_tty && !dumb,
            interactive: io::stdin().is_terminal() && err_tty,
            out_is_terminal: out_tty,
        };
        Self::of(Box::new(out), Box::new(err), Box::new(io::BufReader::new(io::stdin())), traits)
    }

    /// Streams made by hand.
    #[must_use]
    pub fn of(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        input: Box<dyn BufRead + Send>,
        traits: Traits,
    ) -> Self {
        Self { out, err, input, out_closed: false, traits }
    }

    /// What is known about the streams.
    #[must_use]
    pub const fn traits(&self) -> Traits {
        self.traits
    }

    /// Writes data to stdout.
    ///
    /// # Errors
    /// Any failure to write but a closed pipe, which is quiet.
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        if self.out_closed {
            return Ok(());
        }
        match self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.out_closed = true;
                Ok(())
            }
            other => other,
        }
    }

    /// Writes a message to stderr. When nobody listens there any more, it is lost.
    pub fn note(&mut self, text: &str) {
        let mut whole = text.to_owned();
        if !whole.ends_with('\n') {
            whole.push('\n');
        }
        let _ = self.err.write_all(whole.as_bytes()).and_then(|()| self.err.flush());
    }

    /// Asks on stderr and reads one line; `None` at the end of input.
    ///
    /// # Errors
    /// Any failure to read.
    pub fn ask(&mut self, question: &str) -> io::Result<Option<String>> {
        let _ = self.err.write_all(question.as_bytes()).and_then(|()| self.err.flush());
        let mut line = String::new();
        let read = self.input.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }
}

/// Writes a message to stderr from where no [`Terminal`] is at hand: a heartbeat beside a run. When
/// nobody listens there any more, it is lost.
pub fn message(text: &str) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "{text}").and_then(|()| err.flush());
}

/// Whether a stream is painted; an explicit choice beats the environment.
fn paints(choice: ColorChoice, env: &Env, is_terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            if env.get("NO_COLOR").is_some() {
                false
            } else if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
                true
            } else {
                is_terminal && env.get("CLICOLOR") != Some("0") && env.get("TERM") != Some("dumb")
            }
        }
    }
}

fn columns(env: &Env, size: Option<usize>) -> usize {
    let said = env.get("COLUMNS").and_then(|text| text.parse().ok()).filter(|said| *said > 0);
    said.or(size).unwrap_or(DEFAULT_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_the_choice_then_the_environment_then_the_terminal() {
        let env = |values: &[(&str, &str)]| Env::of(values.iter().copied());
        assert!(paints(ColorChoice::Auto, &env(&[]), true));
        assert!(!paints(ColorChoice::Auto, &env(&[]), false));
        assert!(!paints(ColorChoice::Auto, &env(&[("NO_COLOR", "1")]), true));
        assert!(!paints(ColorChoice::Auto, &env(&[("TERM", "dumb")]), true));
        assert!(!paints(ColorChoice::Auto, &env(&[("CLICOLOR", "0")]), true));
        assert!(paints(ColorChoice::Auto, &env(&[("CLICOLOR_FORCE", "1")]), false));
        assert!(!paints(
            ColorChoice::Auto,
            &env(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]),
            false
        ));
        assert!(paints(ColorChoice::Always, &env(&[("NO_COLOR", "1")]), false));
        assert!(!paints(ColorChoice::Never, &env(&[("CLICOLOR_FORCE", "1")]), true));
    }

    #[test]
    fn columns_come_from_the_environment_first() {
        assert_eq!(columns(&Env::of([("COLUMNS", "72")]), Some(140)), 72);
        assert_eq!(columns(&Env::of([("COLUMNS", "many")]), Some(140)), 140);
        assert_eq!(columns(&Env::of([]), None), DEFAULT_COLUMNS);
    }

    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let traits = Traits {
            columns: 80,
            color_out: false,
            color_err: false,
            watched: false,
            interactive: false,
            out_is_terminal: false,
        };
        let input = Box::new(io::Cursor::new(b"yes\n".to_vec()));
        let mut terminal = Terminal::of(Box::new(Closed), Box::new(io::sink()), input, traits);
        assert!(terminal.data("x").is_ok() && terminal.data("y").is_ok());
        assert_eq!(terminal.ask("? ").unwrap().as_deref(), Some("yes"));
        assert_eq!(terminal.ask("? ").unwrap(), None);
    }
}
