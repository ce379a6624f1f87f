/** What every page needs: htmx, without evaluation of text as a program; and that nothing stays when its viewer goes. */
import "htmx.org";
import { attend } from "./presence.js";
import { guard, sweep } from "./signout.js";

attend();
guard();
sweep();
