//! Which route answers a path, by Spin's rules. Owns the grammar of routes and their order; comes in:
//! the path of a request, as it was sent; goes out: what was put in for the most specific route that
//! fits, and the pieces of the path. Pure: never decodes or normalises a path, so that what a guest
//! sees and what was routed on are the same.

use std::cmp::Ordering;
use std::fmt;

/// A route: `/a/b`, `/a/:id/b`, `/a/...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// How much of the text is the app's base.
    base: usize,
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Exact(String),
    Parameter(String),
}

/// Why a text is not a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The slash at the front is missing.
    #[error("route `{0}` must start with a slash: write `/{0}`")]
    Relative(String),
    /// Two slashes in a row.
    #[error("route `{0}` has an empty segment: write one slash where there are two")]
    EmptySegment(String),
    /// A wildcard anywhere but at the end.
    #[error("route `{0}` has a wildcard that is not its last segment: end the route with `/...`")]
    Wildcard(String),
    /// A colon without a name, or not at the front of its segment.
    #[error("route `{0}` has a colon that names no whole segment: write a parameter as `/:name`")]
    Parameter(String),
    /// The same name twice.
    #[error("route `{route}` has two parameters `{name}`: give each a name of its own")]
    Repeated {
        /// The route.
        route: String,
        /// The name.
        name: String,
    },
    /// A character that no path has.
    #[error("route `{route}` contains {character:?}, which is not part of a path")]
    Character {
        /// The route.
        route: String,
        /// The character.
        character: char,
    },
}

impl Pattern {
    /// Takes a route apart. One slash at the end means nothing, as in the paths of requests.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let route = || text.to_owned();
        let Some(rest) = text.strip_prefix('/') else {
            return Err(PatternError::Relative(route()));
        };
        if let Some(character) = text
            .chars()
            .find(|c| matches!(c, '?' | '#') || c.is_whitespace())
        {
            return Err(PatternError::Character {
                route: route(),
                character,
            });
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let mut pattern = Self {
            text: route(),
            base: 0,
            segments: Vec::new(),
            wildcard: false,
        };
        for segment in rest.split('/').filter(|_| !rest.is_empty()) {
            if pattern.wildcard {
                return Err(PatternError::Wildcard(route()));
            }
            match segment {
                "" => return Err(PatternError::EmptySegment(route())),
                "..." | "*" => pattern.wildcard = true,
                _ => {
                    let segment = Segment::parse(segment, text)?;
                    if let Segment::Parameter(name) = &segment
                        && pattern.parameters().any(|have| have == name)
                    {
                        return Err(PatternError::Repeated {
                            route: route(),
                            name: name.clone(),
                        });
                    }
                    pattern.segments.push(segment);
                }
            }
        }
        Ok(pattern)
    }

    /// The same below a base that all routes of an app begin with; an empty one is none.
    pub fn below(base: &str, route: &str) -> Result<Self, PatternError> {
        let own = Self::parse(route)?;
        if base.is_empty() {
            return Ok(own);
        }
        let mut pattern = Self::parse(&format!("{base}{route}"))?;
        pattern.base = base.len();
        Ok(pattern)
    }

    /// The route that fits every path.
    pub fn any() -> Self {
        Self {
            text: "/...".to_owned(),
            base: 0,
            segments: Vec::new(),
            wildcard: true,
        }
    }

    /// The route with its base.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the route begins with, and the route as it was written.
    pub fn split(&self) -> (&str, &str) {
        self.text.split_at(self.base)
    }

    /// The names of its parameters, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Exact(_) => None,
        })
    }

    /// Whether both fit exactly the same paths, whatever their parameters are called.
    pub fn same_paths(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }

    /// The most specific first: segment by segment from the left, exact before parameter before
    /// wildcard. No two that are equal here differ in the paths they fit.
    fn order(&self, other: &Self) -> Ordering {
        self.ranks().cmp(other.ranks())
    }

    fn ranks(&self) -> impl Iterator<Item = (u8, &str)> {
        let end = if self.wildcard { (3, "") } else { (0, "") };
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Exact(text) => (1, text.as_str()),
            Segment::Parameter(_) => (2, ""),
        });
        segments.chain([end])
    }

    /// The values of the parameters and what is left for the wildcard, if `path` fits.
    fn fit<'r, 'p>(&'r self, path: &'p str) -> Option<(Vec<(&'r str, &'p str)>, &'p str)> {
        if !path.starts_with('/') {
            return None;
        }
        let mut rest = path;
        let mut params = Vec::new();
        for segment in &self.segments {
            let tail = rest.strip_prefix('/')?;
            let (value, after) = tail.split_at(tail.find('/').unwrap_or(tail.len()));
            match segment {
                Segment::Exact(text) if text == value => {}
                Segment::Parameter(name) if !value.is_empty() => {
                    params.push((name.as_str(), value))
                }
                Segment::Exact(_) | Segment::Parameter(_) => return None,
            }
            rest = after;
        }
        match (self.wildcard, rest) {
            (true, trailing) => Some((params, trailing)),
            (false, "" | "/") => Some((params, "")),
            (false, _) => None,
        }
    }
}

impl Segment {
    fn parse(text: &str, route: &str) -> Result<Self, PatternError> {
        if text.contains("...") || text.contains('*') {
            return Err(PatternError::Wildcard(route.to_owned()));
        }
        match text.strip_prefix(':') {
            Some(name)
                if name.is_empty()
                    || !name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') =>
            {
                Err(PatternError::Parameter(route.to_owned()))
            }
            Some(name) => Ok(Self::Parameter(name.to_owned())),
            None => Ok(Self::Exact(text.to_owned())),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Routes, and what answers them.
#[derive(Debug, Clone)]
pub struct Router<T>(Vec<(Pattern, T)>);

/// What answers a path. It borrows from the router and from the path, each on its own, so that what
/// answers can outlive the request it was found for.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'r, 'p, T> {
    /// What was put in for the route.
    pub value: &'r T,
    /// The route.
    pub pattern: &'r Pattern,
    /// The parameters of the route, in order, with the segments they stand for.
    pub params: Vec<(&'r str, &'p str)>,
    /// What the wildcard stands for, from its slash on: for `/a/...` and `/a/b/`, it is `/b/`.
    pub trailing: &'p str,
}

impl<T> Router<T> {
    /// A router for these routes. Of two that fit the same paths the earlier one answers; whoever reads
    /// routes from people refuses that with [`Pattern::same_paths`], where it can say which two.
    pub fn new(mut routes: Vec<(Pattern, T)>) -> Self {
        routes.sort_by(|(one, _), (other, _)| one.order(other));
        Self(routes)
    }

    /// The same routes, with something else put in for each.
    pub fn map<U>(self, mut put: impl FnMut(&Pattern, T) -> U) -> Router<U> {
        let routes = self.0.into_iter().map(|(pattern, value)| {
            let value = put(&pattern, value);
            (pattern, value)
        });
        Router(routes.collect())
    }

    /// The most specific route that fits. `path` is without query.
    pub fn route<'r, 'p>(&'r self, path: &'p str) -> Option<Match<'r, 'p, T>> {
        self.0.iter().find_map(|(pattern, value)| {
            let (params, trailing) = pattern.fit(path)?;
            Some(Match {
                value,
                pattern,
                params,
                trailing,
            })
        })
    }
}

#[cfg(test)]
#[path = "tests/routes.rs"]
mod generated;

#[cfg(test)]
#[path = "tests/router.rs"]
mod tests;
