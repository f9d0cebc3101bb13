/// Properties of the browser's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Device pixels per CSS pixel.
    pub(super) scale: u32,
    pub(super) mobile: bool,
    pub(super) dark: bool,
}

impl Look {
    /// A phone in portrait orientation.
    pub const PHONE: Self = Self { width: 390, height: 844, scale: 2, mobile: true, dark: false };
    /// A desktop's window.
    pub const DESKTOP: Self = Self { width: 1280, height: 800, scale: 1, mobile: false, dark: false };

    /// The narrowest window that pages have to fit (WCAG 2.2, 1.4.10): 320 CSS pixels.
    pub const NARROW: Self = Self { width: 320, height: 640, scale: 1, mobile: false, dark: false };

    /// The same with so many device pixels per CSS pixel, and as high as the page: for pictures.
    #[must_use]
    pub const fn picture(self, scale: u32) -> Self {
        Self { height: 1, scale, ..self }
    }

    /// The same in dark mode.
    #[must_use]
    pub const fn dark(self) -> Self {
        Self { dark: true, ..self }
    }
}
