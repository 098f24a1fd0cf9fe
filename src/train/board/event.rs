//! TensorBoard's events in the wire format of protocol buffers. Numbers of fields are those of `event.proto`, `summary.proto`,
//! `tensor.proto` and `types.proto` in `tensorboard/compat/proto`.

/// Bins of a histogram.
const BINS: usize = 30;

/// A message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.key(field, 0);
        self.varint(value);
        self
    }

    fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn message(self, field: u64, inner: Message) -> Self {
        self.bytes(field, &inner.0)
    }

    fn doubles(self, field: u64, values: &[f64]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.bytes(field, &packed)
    }
}

/// What a value is, by its field in `Summary.Value`.
pub(super) struct Value(Message);

/// A number.
pub(super) fn scalar(tag: &str, value: f32) -> Value {
    Value(Message::default().bytes(1, tag.as_bytes()).float(2, value))
}

/// A picture, from the bytes of its PNG file; none of what is no such file.
pub(super) fn image(tag: &str, png: &[u8]) -> Option<Value> {
    // The header comes first: width, height, and after a byte of depth the kind of its colours.
    let header = png.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(8..18)?;
    let side = |at: usize| u64::from(u32::from_be_bytes([0, 1, 2, 3].map(|i| header[at + i])));
    let channels = match header[9] {
        0 => 1,
        4 => 2,
        6 => 4,
        _ => 3,
    };
    let image = Message::default()
        .number(1, side(4))
        .number(2, side(0))
        .number(3, channels)
        .bytes(4, png);
    Some(Value(
        Message::default()
            .bytes(1, tag.as_bytes())
            .message(4, image),
    ))
}

/// How values are spread, in bins of equal width; none without any finite one. Those that are not finite are left out.
pub(super) fn histogram(tag: &str, values: &[f32]) -> Option<Value> {
    let finite = values.iter().filter(|value| value.is_finite());
    let finite: Vec<f64> = finite.map(|value| f64::from(*value)).collect();
    let least = finite.iter().copied().reduce(f64::min)?;
    let most = finite.iter().copied().reduce(f64::max)?;
    // Where all are the same they stand in the middle of bins as wide as TensorFlow's own.
    let (low, high) = match least == most {
        true => (least - 0.5, most + 0.5),
        false => (least, most),
    };
    let width = (high - low) / BINS as f64;
    let limits: Vec<f64> = (1..=BINS).map(|bin| low + width * bin as f64).collect();
    let mut counts = [0.0; BINS];
    for value in &finite {
        let bin = ((value - low) / width) as usize;
        counts[bin.min(BINS - 1)] += 1.0;
    }
    let histogram = Message::default()
        .double(1, least)
        .double(2, most)
        .double(3, finite.len() as f64)
        .double(4, finite.iter().sum())
        .double(5, finite.iter().map(|value| value * value).sum())
        .doubles(6, &limits)
        .doubles(7, &counts);
    Some(Value(
        Message::default()
            .bytes(1, tag.as_bytes())
            .message(5, histogram),
    ))
}

/// A text, as Markdown.
pub(super) fn text(tag: &str, text: &str) -> Value {
    let plugin = Message::default().bytes(1, b"text");
    let shape = Message::default().message(2, Message::default().number(1, 1));
    let tensor = Message::default()
        // DT_STRING
        .number(1, 7)
        .message(2, shape)
        .bytes(8, text.as_bytes());
    Value(
        Message::default()
            .bytes(1, tag.as_bytes())
            .message(8, tensor)
            .message(9, Message::default().message(1, plugin)),
    )
}

/// The first event of a file.
pub(super) fn version(seconds: f64) -> Vec<u8> {
    let event = Message::default().double(1, seconds);
    event.bytes(3, b"brain.Event:2").0
}

/// Says that a run goes on with step `step`: what earlier files have of it and of later ones is forgotten.
pub(super) fn start(seconds: f64, step: u64) -> Vec<u8> {
    let event = Message::default().double(1, seconds).number(2, step);
    event.message(7, Message::default().number(1, 1)).0
}

/// The values of a step.
pub(super) fn summary(seconds: f64, step: u64, values: Vec<Value>) -> Vec<u8> {
    let all = values.into_iter();
    let all = all.fold(Message::default(), |all, value| all.message(1, value.0));
    let event = Message::default().double(1, seconds).number(2, step);
    event.message(5, all).0
}
