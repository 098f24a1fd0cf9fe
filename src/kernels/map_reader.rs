/// Who reads maps, and may need something around them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MapReader<'a, L> {
    /// A layer whose input they are.
    Input(&'a L),
    /// A layer in whose output they are the gradient.
    OutputGradient(&'a L),
}
