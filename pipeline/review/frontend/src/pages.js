/** What every page needs: the machine's progress, and that nothing stays when its viewer goes. */
import { follow } from "./follow.js";
import { attend } from "./presence.js";
import { guard, sweep } from "./signout.js";

attend();
follow();
guard();
sweep();
