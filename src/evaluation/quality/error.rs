/// Why a figure of sample quality cannot be given.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QualityError {
    #[error("{given} values are not whole points of {dimensions} values")]
    WrongLength { given: usize, dimensions: usize },
    #[error(
        "value {value} of point {point} is not finite: leave such points out and say how many there were"
    )]
    NotFinite { point: usize, value: usize },
    #[error("points of {left} values cannot be compared with points of {right}")]
    Dimensions { left: usize, right: usize },
    #[error("{what}: {given} points, but it takes at least {least}")]
    TooFew {
        what: &'static str,
        given: usize,
        least: usize,
    },
    #[error(
        "no data was held out: name data that training has not seen with --data, or train with data.held_out, and distances to the \
         training data can be compared with theirs"
    )]
    NothingHeldOut,
    #[error("all points are equal, so there is no scale to compare them on")]
    NoScale,
    #[error(
        "all data have the same energy, so there is no scale for how far chains move from it: name data that differ, or \
         train on"
    )]
    NoSpread,
    #[error("there are {given} energies of {count} points: give one of each")]
    Energies { given: usize, count: usize },
    #[error(
        "number {index} of the energies {which} is not finite: leave such points out and say how many there were"
    )]
    EnergyNotFinite { which: &'static str, index: usize },
    #[error("an AUROC takes points of both sets: there is none {which}")]
    OneClass { which: &'static str },
    #[error("number {index} of the energies {which} is not a number")]
    NotANumber { which: &'static str, index: usize },
    #[error("{what} is {given}, but is at least {least}")]
    OutOfRange {
        what: &'static str,
        given: usize,
        least: usize,
    },
    #[error("the classifier in assets/classifiers is damaged ({0}): restore the file and rebuild")]
    Classifier(String),
    #[error("`{file}` cannot be used as a feature network: {cause}")]
    Network { file: String, cause: String },
    #[error("the eigenvalues of a covariance were not found: are there values above 1e150?")]
    NoEigenvalues,
}
