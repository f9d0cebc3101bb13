//! A real browser for tests and pictures: headless Chromium, controlled through a pipe. It needs no driver, port or
//! library, and ends with its parent process.
//!
//! ```no_run
//! # async fn story(url: &str) -> anyhow::Result<()> {
//! use punctual_testkit::browser::{Browser, Look, find};
//!
//! let mut browser = Browser::start(&find().expect("a Chromium")).await?;
//! browser.look(Look::PHONE.dark()).await?;
//! browser.scripts(false).await?;
//! browser.open(url).await?;
//! browser.follow("Cancel appointment").await?; // a click of the mouse, and the page it leads to
//! assert!(browser.text().await?.contains("Cancel this appointment?"));
//! std::fs::write("page.png", browser.picture().await?)?;
//! browser.close().await
//! # }
//! ```
//!
//! In tests, [`browser`] starts one or says why a test is skipped.

mod look;
mod pipe;
mod start;

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{WAIT_TIMEOUT, try_wait_for};
use pipe::Pipe;

pub use look::Look;
pub use start::browser;

/// The Chromium or Chrome of this machine, by PATH.
#[must_use]
pub fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file()))
}

/// What the left button of the mouse does; it is held while the mouse moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// It is pressed.
    Press,
    /// The mouse moves.
    Move,
    /// It is released.
    Release,
}

/// A browser with one tab. Every wait ends with an error after a minute.
pub struct Browser {
    pipe: Pipe,
    _profile: TempDir,
}

impl Browser {
    /// Starts it as a desktop with an empty profile.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(program: &Path) -> Result<Self> {
        let profile = tempfile::Builder::new().prefix("punctual-browser-").tempdir()?;
        let mut pipe = Pipe::open(program, profile.path())?;
        let tab = pipe.call("Target.createTarget", json!({ "url": "about:blank" })).await?;
        let attach = json!({ "targetId": tab["targetId"], "flatten": true });
        let attached = pipe.call("Target.attachToTarget", attach).await?;
        pipe.attach(attached["sessionId"].as_str().context("no session")?.to_owned());
        pipe.call("Page.enable", json!({})).await?;
        let mut browser = Self { pipe, _profile: profile };
        browser.look(Look::DESKTOP).await?;
        Ok(browser)
    }

    /// Changes the window.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn look(&mut self, look: Look) -> Result<()> {
        let metrics = json!({ "width": look.width, "height": look.height, "deviceScaleFactor": look.scale,
            "mobile": look.mobile });
        self.pipe.call("Emulation.setDeviceMetricsOverride", metrics).await?;
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.pipe.call("Emulation.setEmulatedMedia", media).await.map(drop)
    }

    /// Whether pages may run scripts, from the next one on.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn scripts(&mut self, may_run: bool) -> Result<()> {
        self.pipe.call("Emulation.setScriptExecutionDisabled", json!({ "value": !may_run })).await.map(drop)
    }

    /// A phone on a slow network from now on: 150 ms to each answer, 1.6 Mbit/s down, 0.75 up, a quarter of the processor.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn slow(&mut self) -> Result<()> {
        self.pipe.call("Network.enable", json!({})).await?;
        let conditions = json!({ "offline": false, "latency": 150, "downloadThroughput": 1_600_000 / 8,
            "uploadThroughput": 750_000 / 8 });
        self.pipe.call("Network.emulateNetworkConditions", conditions).await?;
        self.pipe.call("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await?;
        self.pipe.call("Emulation.setCPUThrottlingRate", json!({ "rate": 4 })).await.map(drop)
    }

    /// Milliseconds from the start of the navigation until the page's first text or picture was seen.
    ///
    /// # Errors
    /// When nothing is seen within a minute.
    pub async fn first_paint(&mut self) -> Result<f64> {
        let paint = "String(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? '')";
        let painted = try_wait_for(WAIT_TIMEOUT, async || match self.evaluate(paint).await {
            Ok(text) => text.parse::<f64>().map_err(|_| "nothing is painted".to_owned()),
            Err(error) => Err(format!("{error:#}")),
        });
        painted.await.map_err(|seen| anyhow!("no first paint: {seen}"))
    }

    /// Opens a URL and waits until it is loaded.
    ///
    /// # Errors
    /// When the URL does not load.
    pub async fn open(&mut self, url: &str) -> Result<()> {
        let opened = self.pipe.call("Page.navigate", json!({ "url": url })).await?;
        if let Some(error) = opened["errorText"].as_str() {
            bail!("cannot open the page: {error}");
        }
        self.settled().await
    }

    /// Shows an HTML document without a URL.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn show(&mut self, html: &str) -> Result<()> {
        let tree = self.pipe.call("Page.getFrameTree", json!({})).await?;
        let content = json!({ "frameId": tree["frameTree"]["frame"]["id"], "html": html });
        self.pipe.call("Page.setDocumentContent", content).await?;
        self.settled().await
    }

    /// The visible text of the page.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn text(&mut self) -> Result<String> {
        self.evaluate("document.body.innerText").await
    }

    /// The page's title.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn title(&mut self) -> Result<String> {
        self.evaluate("document.title").await
    }

    /// The page's URL.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn address(&mut self) -> Result<String> {
        self.evaluate("document.location.href").await
    }

    /// The value of a JavaScript expression, as text.
    ///
    /// # Errors
    /// When it throws, or gives no text.
    pub async fn evaluate(&mut self, expression: &str) -> Result<String> {
        let answer = self.pipe.call("Runtime.evaluate", json!({ "expression": expression })).await?;
        let value = answer["result"]["value"].as_str();
        Ok(value.with_context(|| format!("{expression} gives {answer}"))?.to_owned())
    }

    /// The value of the promise that an expression returns, as text.
    ///
    /// # Errors
    /// When it throws, or gives no text.
    pub async fn evaluate_promise(&mut self, expression: &str) -> Result<String> {
        let wanted = json!({ "expression": expression, "awaitPromise": true });
        let answer = self.pipe.call("Runtime.evaluate", wanted).await?;
        let value = answer["result"]["value"].as_str();
        Ok(value.with_context(|| format!("the promise gives {answer}"))?.to_owned())
    }

    /// Presses a key by its name in DOM: `Tab`, `Enter`, `Escape`, `ArrowDown`, or ` ` for the space bar.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn press(&mut self, key: &str) -> Result<()> {
        let (code, number, text) = match key {
            "Tab" => ("Tab", 9, ""),
            "Enter" => ("Enter", 13, "\r"),
            "Escape" => ("Escape", 27, ""),
            " " => ("Space", 32, " "),
            "ArrowDown" => ("ArrowDown", 40, ""),
            _ => bail!("no key {key:?}"),
        };
        let event = |kind: &str| json!({ "type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text });
        self.pipe.call("Input.dispatchKeyEvent", event("keyDown")).await?;
        self.pipe.call("Input.dispatchKeyEvent", event("keyUp")).await.map(drop)
    }

    /// Presses a key that leads to another page, and waits for that.
    ///
    /// # Errors
    /// When no page follows.
    pub async fn press_to_follow(&mut self, key: &str) -> Result<()> {
        let loads = self.pipe.loads();
        self.press(key).await?;
        self.pipe.loaded_after(loads).await.with_context(|| format!("after the key {key:?}"))
    }

    /// Types into the focused element.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn type_text(&mut self, text: &str) -> Result<()> {
        self.pipe.call("Input.insertText", json!({ "text": text })).await.map(drop)
    }

    /// Waits until the page contains this text.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub async fn wait_for_text(&mut self, wanted: &str) -> Result<()> {
        let shown = try_wait_for(WAIT_TIMEOUT, async || match self.text().await {
            Ok(text) if text.contains(wanted) => Ok(()),
            Ok(text) => Err(text),
            Err(error) => Err(format!("{error:#}")),
        });
        shown.await.map_err(|seen| anyhow!("the page does not say {wanted:?} but {seen}"))
    }

    /// Clicks the link, button or label with this text or accessible name.
    ///
    /// # Errors
    /// When there is not exactly one, or it can't be seen.
    pub async fn click(&mut self, name: &str) -> Result<()> {
        ensure!(!name.contains('"'), "a name with a quote");
        let called = |tag: &str| format!("//{tag}[normalize-space()=\"{name}\" or @aria-label=\"{name}\"]");
        let query = ["a", "button", "label"].map(called).join(" | ");
        let node = self.the_one(&query).await?;
        self.click_node(node).await
    }

    /// Clicks as [`Self::click`] does and waits for the page that follows.
    ///
    /// # Errors
    /// When no page follows.
    pub async fn follow(&mut self, name: &str) -> Result<()> {
        let loads = self.pipe.loads();
        self.click(name).await?;
        self.pipe.loaded_after(loads).await.with_context(|| format!("after a click on {name:?}"))
    }

    /// Clicks the one link that contains this text, and waits for the page that follows.
    ///
    /// # Errors
    /// When there is not exactly one, or no page follows.
    pub async fn follow_containing(&mut self, text: &str) -> Result<()> {
        ensure!(!text.contains('"'), "a text with a quote");
        let node = self.the_one(&format!("//a[contains(normalize-space(), \"{text}\")]")).await?;
        let loads = self.pipe.loads();
        self.click_node(node).await?;
        self.pipe.loaded_after(loads).await.with_context(|| format!("after a click on {text:?}"))
    }

    /// Clicks the `summary` with this index on the page, from 0.
    ///
    /// # Errors
    /// When there is none.
    pub async fn click_summary(&mut self, number: usize) -> Result<()> {
        let node = self.the_one(&format!("(//summary)[{}]", number + 1)).await?;
        self.click_node(node).await
    }

    /// Presses the left button of the mouse, moves it, or releases it, at this place of the window in CSS pixels.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn mouse(&mut self, step: Mouse, (x, y): (f64, f64)) -> Result<()> {
        let (kind, held) = match step {
            Mouse::Press => ("mousePressed", 1),
            Mouse::Move => ("mouseMoved", 1),
            Mouse::Release => ("mouseReleased", 0),
        };
        let event =
            json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": held, "clickCount": 1 });
        self.pipe.call("Input.dispatchMouseEvent", event).await.map(drop)
    }

    /// Releases the left button at this place and waits for the page that follows.
    ///
    /// # Errors
    /// When no page follows.
    pub async fn drop_to_follow(&mut self, at: (f64, f64)) -> Result<()> {
        let loads = self.pipe.loads();
        self.mouse(Mouse::Release, at).await?;
        self.pipe.loaded_after(loads).await.context("after the drop")
    }

    /// Goes back to the page before.
    ///
    /// # Errors
    /// When there is none.
    pub async fn back(&mut self) -> Result<()> {
        let history = self.pipe.call("Page.getNavigationHistory", json!({})).await?;
        let before =
            history["currentIndex"].as_u64().and_then(|index| usize::try_from(index.checked_sub(1)?).ok());
        let entry = &history["entries"][before.context("there is no page before")?];
        self.pipe.call("Page.navigateToHistoryEntry", json!({ "entryId": entry["id"] })).await?;
        self.settled().await
    }

    /// Addresses of frames that show another site within the page.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn frames(&mut self) -> Result<Vec<String>> {
        let answer = self.pipe.call("Target.getTargets", json!({})).await?;
        let targets = answer["targetInfos"].as_array().context("no targets")?.iter();
        let frames = targets.filter(|target| target["type"] == "iframe");
        Ok(frames.filter_map(|target| target["url"].as_str().map(str::to_owned)).collect())
    }

    /// Waits until an expression gives `true` as text.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub async fn wait_for(&mut self, expression: &str) -> Result<()> {
        let comes_true = try_wait_for(WAIT_TIMEOUT, async || match self.evaluate(expression).await {
            Ok(text) if text == "true" => Ok(()),
            Ok(text) => Err(text),
            Err(error) => Err(format!("{error:#}")),
        });
        comes_true.await.map_err(|seen| anyhow!("{expression} gives {seen}"))
    }

    /// Replaces the text of the field with this CSS selector.
    ///
    /// # Errors
    /// When there is not exactly one.
    pub async fn fill(&mut self, selector: &str, text: &str) -> Result<()> {
        let node = self.the_one(selector).await?;
        self.pipe.call("DOM.focus", json!({ "nodeId": node })).await?;
        self.evaluate("document.activeElement.select(), ''").await?;
        self.pipe.call("Input.insertText", json!({ "text": text })).await.map(drop)
    }

    /// The whole page as PNG.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn picture(&mut self) -> Result<Vec<u8>> {
        let metrics = self.pipe.call("Page.getLayoutMetrics", json!({})).await?;
        let size = &metrics["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let answer = self.pipe.call("Page.captureScreenshot", wanted).await?;
        Ok(STANDARD.decode(answer["data"].as_str().context("no picture")?)?)
    }

    /// Ends it; otherwise it is killed on drop.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(self) -> Result<()> {
        self.pipe.close().await
    }

    /// Waits until the page and its resources are loaded.
    async fn settled(&mut self) -> Result<()> {
        let ready = try_wait_for(WAIT_TIMEOUT, async || {
            let state = self.evaluate("document.readyState").await;
            matches!(&state, Ok(state) if state == "complete").then_some(()).ok_or(state)
        });
        ready.await.map_err(|state| anyhow!("the page is not loaded: {state}"))
    }

    /// The only element that matches a CSS selector or `XPath`.
    async fn the_one(&mut self, query: &str) -> Result<Value> {
        // The browser assigns node ids only after the document was requested.
        self.pipe.call("DOM.getDocument", json!({ "depth": 0 })).await?;
        let found = self.pipe.call("DOM.performSearch", json!({ "query": query })).await?;
        let count = found["resultCount"].as_u64().unwrap_or_default();
        if count != 1 {
            bail!("{count} elements are {query}, on a page that says {:?}", self.text().await?);
        }
        let first = json!({ "searchId": found["searchId"], "fromIndex": 0, "toIndex": 1 });
        let mut result = self.pipe.call("DOM.getSearchResults", first).await?;
        Ok(result["nodeIds"][0].take())
    }

    async fn click_node(&mut self, node: Value) -> Result<()> {
        self.pipe.call("DOM.scrollIntoViewIfNeeded", json!({ "nodeId": node })).await?;
        let quads = self.pipe.call("DOM.getContentQuads", json!({ "nodeId": node })).await?;
        let corners = quads["quads"][0].as_array().context("it can't be seen")?;
        let middle = |first: usize| {
            let values = corners.iter().skip(first).step_by(2).filter_map(Value::as_f64);
            values.sum::<f64>() / 4.0
        };
        let (x, y) = (middle(0), middle(1));
        self.mouse(Mouse::Press, (x, y)).await?;
        self.mouse(Mouse::Release, (x, y)).await
    }
}
